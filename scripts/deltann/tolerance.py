"""How much of a difference between two cells' numbers is one."""

# Float32 sums taken in another order stay well below this share of an image's largest logit, and
# numbers of half precision don't.
TOLERANCE = 1e-4
