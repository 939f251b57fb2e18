// Matrices stored in panels, and products of them. Knows nothing of networks.
//
// A panel holds kPanel columns of all rows, one row after the other. So whatever a product reads lies densely in the
// order of reading, whichever factor the matrix is and whether transposed or not, and nothing needs to be repacked.
// Rows and columns are padded to whole tiles: a product computes whole tiles only. The padding of columns is zero,
// that of rows holds anything, and results never depend on it.
#pragma once

#include "memory.h"
#include "vector.h"

namespace {

constexpr int kVectors = 2;
constexpr int kPanel = kVectors * kLanes;

// So many rows are room for `rows` of them in whole tiles, and in whole vectors where they lie side by side.
inline int padded(int rows) {
    constexpr int kUnit = kTileRows > kLanes ? kTileRows : kLanes;
    return (rows + kUnit - 1) / kUnit * kUnit;
}

struct Matrix {
    float *data;
    int rows, columns;
    int stride;  // rows with padding

    int panels() const { return (columns + kPanel - 1) / kPanel; }
    float *row(int r, int panel) const { return data + (int64_t{panel} * stride + r) * kPanel; }
    float &at(int r, int c) const { return row(r, c / kPanel)[c % kPanel]; }
};

inline Matrix make_matrix(sac_native::Memory &memory, int rows, int columns) {
    Matrix m{nullptr, rows, columns, (rows + kTileRows - 1) / kTileRows * kTileRows};
    m.data = memory.array<float>(int64_t{m.panels()} * m.stride * kPanel);
    return m;
}

struct Range {
    int begin, end;
};

// The rows `rows` of an ordinary row-major array (rows, columns).
inline void pack(const float *from, const Matrix &to, Range rows) {
    for (int p = 0; p < to.panels(); ++p) {
        int width = smaller(kPanel, to.columns - p * kPanel);
        for (int r = rows.begin; r < rows.end; ++r) {
            const float *source = from + int64_t{r} * to.columns + p * kPanel;
            if (width == kPanel)
                __builtin_memcpy(to.row(r, p), source, kPanel * sizeof(float));
            else
                for (int c = 0; c < width; ++c) to.row(r, p)[c] = source[c];
        }
    }
}

// The columns `columns` from the rows of an ordinary row-major array (columns, rows).
inline void pack_transposed(const float *from, const Matrix &to, Range columns) {
    const int64_t step = to.rows;
    int c = columns.begin;
    for (; c + 4 <= columns.end && c % 4 == 0; c += 4) {
        const float *source = from + c * step;
        int r = 0;
        for (; r + 4 <= to.rows; r += 4) {
            Four block[4];
            for (int i = 0; i < 4; ++i) block[i] = load_four(source + i * step + r);
            transpose(block);
            for (int i = 0; i < 4; ++i) *reinterpret_cast<Four *>(&to.at(r + i, c)) = block[i];
        }
        for (; r < to.rows; ++r)
            for (int i = 0; i < 4; ++i) to.at(r, c + i) = source[i * step + r];
    }
    for (; c < columns.end; ++c)
        for (int r = 0; r < to.rows; ++r) to.at(r, c) = from[c * step + r];
}

using Tile = Vector[kTileRows][kVectors];

// tile += column of `a` (its elements `step` apart) times row of `b`
inline __attribute__((always_inline)) void add_outer(Tile &tile, const float *a, int step, const float *b) {
    Vector row[kVectors];
    for (int v = 0; v < kVectors; ++v) row[v] = vector(b + v * kLanes);
#pragma GCC unroll 8
    for (int i = 0; i < kTileRows; ++i) {
        Vector x = broadcast(a[i * step]);
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) tile[i][v] += x * row[v];
    }
}

// The rows `rows` of c = finish(a b), of which `a` takes part with its first `b.rows` columns; `rows` begins at a tile.
// finish(vector, row, panel, offset) -> vector, applied to each vector of the product.
template <class Finish>
__attribute__((noinline)) void multiply(const Matrix &a, const Matrix &b, const Matrix &c, Range rows, Finish finish) {
    for (int p = 0; p < c.panels(); ++p)
        for (int r = rows.begin; r < rows.end; r += kTileRows) {
            Tile tile = {};
            for (int k = 0; k < b.rows; k += kPanel) {
                const float *left = a.row(r, k / kPanel), *right = b.row(k, p);
                int depth = smaller(kPanel, b.rows - k);
#pragma GCC unroll 4
                for (int i = 0; i < depth; ++i) add_outer(tile, left + i, kPanel, right + i * kPanel);
            }
            for (int i = 0; i < kTileRows; ++i)
                for (int v = 0; v < kVectors; ++v)
                    vector(c.row(r + i, p) + v * kLanes) = finish(tile[i][v], r + i, p, v * kLanes);
        }
}

// aᵀ b over the first `rows` rows, into an ordinary row-major array (count, b.columns): of `a`, the first `count`
// columns take part; of `b`, the panels `panels`.
inline __attribute__((noinline)) void multiply_transposed(const Matrix &a, const Matrix &b, int rows, int count,
                                                          Range panels, float *to) {
    for (int p = panels.begin; p < panels.end; ++p)
        for (int first = 0; first < count; first += kTileRows) {
            static_assert(kPanel % kTileRows == 0, "a tile must not cross the border of two panels");
            Tile tile = {};
            const float *left = a.row(0, first / kPanel) + first % kPanel, *right = b.row(0, p);
#pragma GCC unroll 4
            for (int r = 0; r < rows; ++r) add_outer(tile, left + r * kPanel, 1, right + r * kPanel);
            size_t bytes = sizeof(float) * static_cast<size_t>(smaller(kPanel, b.columns - p * kPanel));
            for (int i = 0; i < smaller(kTileRows, count - first); ++i)
                __builtin_memcpy(to + int64_t{first + i} * b.columns + p * kPanel, tile[i], bytes);
        }
}

// Inner product of each of the first `rows` rows of `a` with one row of `b`; `to` is padded as rows are.
inline void multiply_by_row(const Matrix &a, const Matrix &b, int row, int rows, float bias, float *to) {
    static_assert(kTileRows % 4 == 0, "rows are taken by four, to add up four vectors at once");
    for (int r = 0; r < rows; r += 4) {
        Vector total[4] = {};
        for (int p = 0; p < a.panels(); ++p)
            for (int v = 0; v < kPanel; v += kLanes)
                for (int i = 0; i < 4; ++i) total[i] += vector(a.row(r + i, p) + v) * vector(b.row(row, p) + v);
        Four parts[4] = {fold(total[0]), fold(total[1]), fold(total[2]), fold(total[3])};
        transpose(parts);
        Four sums = (parts[0] + parts[1]) + (parts[2] + parts[3]) + bias;
        __builtin_memcpy(to + r, &sums, sizeof sums);
    }
}

// Sum over the first `rows` rows of a row times its weight, into an ordinary array with elements `step` apart.
inline void sum_rows(const Matrix &a, const float *weights, int rows, Range panels, float *to, int step) {
    for (int p = panels.begin; p < panels.end; ++p) {
        Vector total[4][kVectors] = {};  // four chains: an addition waits for the one before it
        auto add = [&](int r, int chain) {
            for (int v = 0; v < kVectors; ++v)
                total[chain][v] += vector(a.row(r, p) + v * kLanes) * broadcast(weights[r]);
        };
        int r = 0;
        for (; r + 4 <= rows; r += 4)
            for (int i = 0; i < 4; ++i) add(r + i, i);
        for (; r < rows; ++r) add(r, 0);
        float sums[kPanel];
        for (int v = 0; v < kVectors; ++v) {
            Vector all = (total[0][v] + total[1][v]) + (total[2][v] + total[3][v]);
            __builtin_memcpy(sums + v * kLanes, &all, sizeof all);
        }
        for (int c = 0; c < smaller(kPanel, a.columns - p * kPanel); ++c)
            to[int64_t{p * kPanel + c} * step] = sums[c];
    }
}

}  // namespace
