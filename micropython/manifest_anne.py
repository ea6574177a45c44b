# Our package, without reference_model.py, layouts, arithmetic.py and reference_trainer.py: those are the cores in
# Python, and here are those in C. Of the rooms of layers only what checks a file, as freeze_rooms.py has written it.
package(
    "anne",
    (
        "__init__.py",
        "binary.py",
        "checks.py",
        "classes.py",
        "head.py",
        "layers/__init__.py",
        "metadata.py",
        "model.py",
        "model_file.py",
        "model_writer.py",
        "places.py",
        "records.py",
        "reference.py",
        "tensors.py",
        "texts.py",
        "trainer.py",
        "training.py",
        "values.py",
        "weights.py",
        "windows.py",
    ),
    base_path="../python_api",
)
package("anne", base_path="../build/frozen")
