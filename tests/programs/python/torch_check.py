"""torch_check.py SDUMC.pt PUBLISHED.pt MMIN.pt MISA.pt: state dicts that torch loads, into its own modules where it has them."""
import sys

import torch

weights, published, recurrent, attention = (torch.load(path, weights_only=True) for path in sys.argv[1:5])

assert weights["frame_dim_reshape_0.weight"].shape == (8, 3), weights["frame_dim_reshape_0.weight"].shape
for name, tensor in published.items():
    assert torch.equal(tensor, weights[name]), name
torch.save(weights, "from_torch.pt")


def part(state, prefix):
    return {name[len(prefix) :]: tensor for name, tensor in state.items() if name.startswith(prefix)}


# an LSTM by name; its own numbers against the gates written out
lstm = torch.nn.LSTM(3, 8, batch_first=True)
lstm.load_state_dict(part(recurrent, "encoders.lstm.0."))
x = torch.linspace(-1, 1, 12).reshape(1, 4, 3)
h = c = torch.zeros(1, 8)
w = part(recurrent, "encoders.lstm.0.")
for t in range(4):
    gates = x[:, t] @ w["weight_ih_l0"].T + w["bias_ih_l0"] + h @ w["weight_hh_l0"].T + w["bias_hh_l0"]
    i, f, g, o = gates.chunk(4, 1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    h = torch.sigmoid(o) * torch.tanh(c)
assert torch.allclose(lstm(x)[0][:, -1], h, atol=1e-6)

# both directions, and a layer of a Transformer
torch.nn.LSTM(3, 3, bidirectional=True).load_state_dict(part(attention, "first.rnn1."))
layer = torch.nn.TransformerEncoderLayer(8, 2, 8, batch_first=True)
layer.load_state_dict(part(attention, "encoder."))
print("torch", torch.__version__, "loads", len(weights) + len(recurrent) + len(attention), "tensors")
