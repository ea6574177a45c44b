# Our package, without reference_model.py, layouts and arithmetic.py: those are the models' core in Python, and here is
# one in C.
package(
    "anne",
    (
        "__init__.py",
        "checks.py",
        "classes.py",
        "layers/__init__.py",
        "layers/activation.py",
        "layers/add.py",
        "layers/dense.py",
        "layers/reshape.py",
        "layers/scaling.py",
        "metadata.py",
        "model.py",
        "model_file.py",
        "places.py",
        "records.py",
        "reference.py",
        "tensors.py",
        "texts.py",
        "values.py",
    ),
    base_path="../python_api",
)
