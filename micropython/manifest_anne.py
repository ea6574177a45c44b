# Our package, without reference_model.py and layouts.py: those are the models' core in Python, and here is one in C.
package(
    "anne",
    (
        "__init__.py",
        "classes.py",
        "model.py",
        "model_file.py",
        "metadata.py",
        "reference.py",
        "values.py",
    ),
    base_path="../python_api",
)
