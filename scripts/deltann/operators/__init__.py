"""Models of one operator, and what each converter, importer, quantizer and level makes of them."""
