"""What users give and get: texts, tables, arrays of samples, files."""
