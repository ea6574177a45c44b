# Our package, without reference_model.py, layouts, arithmetic.py and reference_trainer.py: those are the cores in
# Python, and here are those in C; and without unfit.py, as package and module are one build here. Of the rooms of
# layers only what checks a file, as freeze_rooms.py has written it.
# opt=3: no line numbers in tracebacks, which would take 4 KB of flash; their texts say what is wrong.
package(
    "anne",
    (
        "__init__.py",
        "binary.py",
        "checks.py",
        "classes.py",
        "head.py",
        "inside.py",
        "layers/__init__.py",
        "live.py",
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
    opt=3,
)
package("anne", base_path="../build/frozen", opt=3)
