"""The same model and texts in PyTorch, one thread: prints tokens a second, by the clock (the best of several stretches of ten steps) and by processor time."""
import math
import random
import time
import torch
import torch.nn as nn
import torch.nn.functional as F

V, C, L, H, D = 512, 128, 4, 4, 352


class RmsNorm(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(C))

    def forward(self, x):
        return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + 1e-5) * self.weight


def rotate(x, cos, sin):
    a, b = x.chunk(2, -1)
    return torch.cat((a * cos - b * sin, a * sin + b * cos), -1)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = RmsNorm(), RmsNorm()
        self.qkv, self.out = nn.Linear(C, 3 * C, bias=False), nn.Linear(C, C, bias=False)
        self.gate, self.up, self.down = nn.Linear(C, D, bias=False), nn.Linear(C, D, bias=False), nn.Linear(D, C, bias=False)

    def forward(self, x, cos, sin, mask):
        B, T, _ = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(B, T, 3, H, C // H).permute(2, 0, 3, 1, 4)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        att = (q @ k.transpose(-1, -2) / math.sqrt(C // H) + mask).softmax(-1)
        x = x + self.out((att @ v).transpose(1, 2).reshape(B, T, C))
        h = self.norm2(x)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.blocks, self.norm = nn.Embedding(V, C), nn.ModuleList(Block() for _ in range(L)), RmsNorm()

    def forward(self, ids):
        T = ids.shape[1]
        angle = torch.outer(torch.arange(T).float(), 1e4 ** (-torch.arange(0, C // H, 2).float() / (C // H)))
        mask = torch.full((T, T), -1e9).triu(1)
        x = self.embedding(ids)
        for b in self.blocks:
            x = b(x, angle.cos(), angle.sin(), mask)
        return self.norm(x) @ self.embedding.weight.T


def batches(r):
    """Texts of a window sorted by length and padded, as one has to here; only real tokens are counted."""
    while True:
        pool = sorted(r.randint(150, 300) for _ in range(320))
        while pool:
            n = max(n for n in range(1, len(pool) + 1) if n == 1 or pool[n - 1] * n <= 4096)
            lengths, pool = pool[:n], pool[n:]
            T = lengths[-1]
            weights = torch.tensor([[0.] + [.1 if t < n * 2 // 3 else 1. for t in range(1, n)] + [0.] * (T - n) for n in lengths])
            yield torch.randint(0, V, (len(lengths), T)), weights, sum(lengths)


torch.set_num_threads(1)
torch.manual_seed(0)
model = Decoder()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(.9, .98))
source, best, total, used = batches(random.Random(0)), 0, 0, 0
for run in range(5):
    start, began, seen = time.perf_counter(), time.process_time(), 0
    for step in range(10):
        ids, weights, n = next(source)
        logits = model(ids[:, :-1])
        loss = F.cross_entropy(logits.reshape(-1, V), ids[:, 1:].reshape(-1), reduction="none")
        weights = weights[:, 1:].reshape(-1)
        optimizer.zero_grad()
        ((loss * weights).sum() / weights.sum()).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.)
        optimizer.step()
        seen += n
    best, total, used = max(best, seen / (time.perf_counter() - start)), total + seen, used + time.process_time() - began
print(best, total / used)
