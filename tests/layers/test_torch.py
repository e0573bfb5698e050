"""Every layer against PyTorch's derivative of PyTorch's own function, where PyTorch is installed."""

import numpy as np
import pytest

from jacobians.layers import registry

pytest.importorskip("torch", reason="PyTorch is optional")
EXAMPLES = {name: (layer, inputs) for name, layer, inputs in registry.examples()}


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("name", EXAMPLES)
def test_agrees_with_torch(name):
    from tests.layers.torch_forward import jacobians

    layer, inputs = EXAMPLES[name]
    output, expected = jacobians(layer, inputs)
    np.testing.assert_allclose(layer(*inputs), output, rtol=1e-10, atol=1e-12)
    found = layer.jacobians(*inputs)
    assert set(found) == set(expected)
    for argument, J in expected.items():
        assert found[argument].shape == J.shape
        atol = 1e-10 * max(1, np.abs(J).max(initial=0))
        np.testing.assert_allclose(found[argument], J, rtol=1e-8, atol=atol, err_msg=argument)
