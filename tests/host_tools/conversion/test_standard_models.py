"""Models that are measured: what stands in a program and what in a model file are the same numbers."""

import numpy as np
from anne_tools.conversion.standard_models import PASTED_SHAPES, pasted_models
from anne_tools.cores.native import NativeModel


def test_a_program_and_its_model_file_have_the_same_numbers():
    """The program has 8 decimals; what comes out of the file is held against the program's sums in 64 bits."""
    models = pasted_models()
    for (program, data), (n_in, n_out) in zip(models, PASTED_SHAPES, strict=True):
        names = {}
        exec(program, names)
        weights, bias = np.array(names["ANNE_WEIGHTS"]), np.array(names["ANNE_BIAS"])
        assert (weights.shape, bias.shape) == ((n_out, n_in), (n_out,))
        x = np.random.default_rng(2).normal(0, 1, n_in)
        with NativeModel(data) as model:
            np.testing.assert_allclose(model.predict(x[None])[0], weights @ x + bias, rtol=0, atol=1e-6)
