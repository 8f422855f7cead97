"""Import, optimize and compile models with TVM."""
