// A network of fully connected layers with ReLU between them: values and gradients. Knows no losses and no optimiser.
#pragma once

#include "matrix.h"

namespace {

// Where the layers of a network, or of stacked twins, lie in their flat vector of parameters.
struct Layout {
    int layers;
    const int *sizes;  // layers + 1 of them: input, hidden ones, output
    int stack;         // 1, or 2 for twins

    int64_t weight(int layer, int twin) const {
        return start(layer) + int64_t{twin} * sizes[layer] * sizes[layer + 1];
    }
    int64_t bias(int layer, int twin) const { return weight(layer, stack) + int64_t{twin} * sizes[layer + 1]; }
    int64_t size() const { return start(layers); }

private:
    int64_t start(int layer) const {
        int64_t n = 0;
        for (int i = 0; i < layer; ++i) n += int64_t{stack} * (sizes[i] + 1) * sizes[i + 1];
        return n;
    }
};

// The parameters of one network, in the form that products read.
struct Weights {
    Matrix *forward;     // [layer], of hidden layers: (in, out)
    Matrix *transposed;  // [layer], from the second layer on: (out, in)
    Matrix *bias;        // [layer], of hidden layers: (1, out)
    float *head_bias;    // (out of the last layer,)
};

// What a pass through a network leaves for the pass back.
struct Hidden {
    Matrix *outputs;  // [layer], of hidden layers: (rows, out)
};

inline Matrix *make_matrices(sac_native::Memory &memory, int count) { return memory.array<Matrix>(count); }

inline Weights make_weights(sac_native::Memory &memory, const Layout &layout) {
    int hidden = layout.layers - 1;
    Weights w{make_matrices(memory, hidden), make_matrices(memory, hidden + 1), make_matrices(memory, hidden),
              memory.array<float>(layout.sizes[layout.layers])};
    for (int l = 0; l < layout.layers; ++l) {
        int in = layout.sizes[l], out = layout.sizes[l + 1];
        if (l < hidden) w.forward[l] = make_matrix(memory, in, out);
        if (l < hidden) w.bias[l] = make_matrix(memory, 1, out);
        if (l > 0) w.transposed[l] = make_matrix(memory, out, in);
    }
    return w;
}

inline Hidden make_hidden(sac_native::Memory &memory, const Layout &layout, int rows) {
    Hidden h{make_matrices(memory, layout.layers - 1)};
    for (int l = 0; l + 1 < layout.layers; ++l) h.outputs[l] = make_matrix(memory, rows, layout.sizes[l + 1]);
    return h;
}

// Some of the parameters of one network.
struct Block {
    int layer;
    Range inputs;        // rows of the layer's weight; none: its bias
    int64_t begin, end;  // where they lie in the flat vector
};

// Calls f(block) for all parameters of `twin`, a block at a time: small enough to stay in the nearest cache while
// everything is done to it.
template <class F>
inline void each_block(const Layout &layout, int twin, const F &f) {
    constexpr int kBlock = 16;
    for (int l = 0; l < layout.layers; ++l) {
        const int in = layout.sizes[l], out = layout.sizes[l + 1];
        const int64_t weight = layout.weight(l, twin), bias = layout.bias(l, twin);
        for (int i = 0; i < in; i += kBlock) {
            int end = smaller(i + kBlock, in);
            f(Block{l, {i, end}, weight + int64_t{i} * out, weight + int64_t{end} * out});
        }
        f(Block{l, {0, 0}, bias, bias + out});
    }
}

enum class Purpose { evaluate, learn };  // evaluation needs no transposed weights but those of the head

// Read a block anew, after its parameters in `flat` have changed.
inline void load(const Weights &w, const Layout &layout, const float *flat, int twin, const Block &block,
                 Purpose purpose) {
    const int l = block.layer;
    const bool is_head = l + 1 == layout.layers, is_bias = block.inputs.end == 0;
    const float *weight = flat + layout.weight(l, twin), *bias = flat + layout.bias(l, twin);
    if (is_bias && is_head)
        for (int i = 0; i < layout.sizes[l + 1]; ++i) w.head_bias[i] = bias[i];
    if (is_bias && !is_head) pack(bias, w.bias[l], {0, 1});
    if (is_bias) return;
    if (!is_head) pack(weight, w.forward[l], block.inputs);
    if (is_head || (l > 0 && purpose == Purpose::learn)) pack_transposed(weight, w.transposed[l], block.inputs);
}

inline void load(const Weights &w, const Layout &layout, const float *flat, int twin, Purpose purpose) {
    each_block(layout, twin, [&](const Block &block) { load(w, layout, flat, twin, block, purpose); });
}

// Outputs for the first `rows` rows of x, as (out, stride): output by output.
inline void evaluate(const Weights &w, const Layout &layout, const Matrix &x, int rows, const Hidden &hidden,
                     float *outputs, int64_t stride) {
    int head = layout.layers - 1;
    const Matrix *input = &x;
    for (int l = 0; l < head; ++l) {
        const float *bias = w.bias[l].data;
        int bias_step = w.bias[l].stride * kPanel;
        multiply(*input, w.forward[l], hidden.outputs[l], {0, rows}, [=](Vector sum, int, int panel, int offset) {
            Vector y = sum + vector(bias + panel * bias_step + offset);
            return y < Vector{} ? Vector{} : y;  // in this form NaN stays NaN
        });
        input = &hidden.outputs[l];
    }
    for (int i = 0; i < layout.sizes[head + 1]; ++i)
        multiply_by_row(*input, w.transposed[head], i, rows, w.head_bias[i], outputs + i * stride);
}

// ReLU backwards: nothing passes where the output was 0.
inline Vector where_active(const Vector &output, const Vector &delta) { return output <= Vector{} ? Vector{} : delta; }

// ∂J/∂(each hidden layer before its ReLU) for the rows `rows` of `deltas`, from ∂J/∂outputs (out, stride).
// Row r of `deltas` belongs to row origin[r] of the pass forward, so that rows without a gradient can be left out.
inline void propagate(const Weights &w, const Layout &layout, const Hidden &hidden, const float *of_outputs,
                      int64_t stride, const int *origin, Range rows, const Hidden &deltas) {
    int last = layout.layers - 2, outs = layout.sizes[layout.layers];
    const Matrix &head = w.transposed[last + 1], &active = hidden.outputs[last], &top = deltas.outputs[last];
    for (int p = 0; p < top.panels(); ++p)
        for (int v = 0; v < kPanel; v += kLanes)
            for (int r = rows.begin; r < rows.end; ++r) {
                Vector delta{};
                for (int i = 0; i < outs; ++i)
                    delta += broadcast(of_outputs[i * stride + r]) * vector(head.row(i, p) + v);
                vector(top.row(r, p) + v) = where_active(vector(active.row(origin[r], p) + v), delta);
            }
    for (int l = last; l > 0; --l) {
        const Matrix before = hidden.outputs[l - 1];
        multiply(deltas.outputs[l], w.transposed[l], deltas.outputs[l - 1], rows,
                 [=](Vector delta, int r, int panel, int offset) {
                     return where_active(vector(before.row(origin[r], panel) + offset), delta);
                 });
    }
}

// Gradients of the parameters of `twin` into `gradient`, laid out as the parameters are. `half` 0 and 1 are disjoint
// shares of the work; -1 is all of it.
inline void differentiate(const Layout &layout, int twin, const Matrix &x, const Hidden &hidden, const Hidden &deltas,
                          const float *of_outputs, int64_t stride, int rows, const float *ones, int half,
                          float *gradient) {
    int head = layout.layers - 1, outs = layout.sizes[layout.layers];
    auto share = [half](int panels) {
        return Range{half == 1 ? panels / 2 : 0, half == 0 ? panels / 2 : panels};
    };
    for (int l = 0; l < head; ++l) {
        const Matrix &delta = deltas.outputs[l], &input = l > 0 ? hidden.outputs[l - 1] : x;
        Range panels = share(delta.panels());
        multiply_transposed(input, delta, rows, layout.sizes[l], panels, gradient + layout.weight(l, twin));
        sum_rows(delta, ones, rows, panels, gradient + layout.bias(l, twin), 1);
    }
    const Matrix &input = hidden.outputs[head - 1];
    for (int i = 0; i < outs; ++i) {
        float *to = gradient + layout.weight(head, twin) + i;
        sum_rows(input, of_outputs + i * stride, rows, share(input.panels()), to, outs);
        if (half != 0) gradient[layout.bias(head, twin) + i] = dot(of_outputs + i * stride, ones, rows);
    }
}

}  // namespace
