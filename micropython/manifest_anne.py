# Our package. Without reference_model.py and layouts.py: they are the models' core in Python, and firmware has one in C.
package("anne", ("__init__.py", "model.py", "model_file.py", "reference.py"), base_path="../python_api")
