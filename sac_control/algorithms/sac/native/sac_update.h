// The C interface of the update: plain structs and five functions, for ctypes. Says nothing of how it is done.
//
// All arrays are float32, contiguous, row-major and belong to the caller. One handle may be used by one thread at a
// time; different handles are independent. Nothing throws across this border.
#ifndef SAC_UPDATE_H
#define SAC_UPDATE_H

#include <stdint.h>

#define SAC_PUBLIC __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

typedef struct SacShape {
    int32_t observation_size;     // o >= 1
    int32_t action_size;          // a >= 1
    int32_t batch_size;           // b >= 1
    int32_t hidden_layers;        // length of hidden_sizes, >= 1
    const int32_t *hidden_sizes;  // each >= 1; read by sac_create only
    int32_t threads;              // 1, or 2: the twin critics side by side; the numbers are the same
} SacShape;

typedef struct SacSettings {
    double actor_learning_rate;
    double critic_learning_rate;
    double alpha_learning_rate;
    double learning_rate_scale;      // multiplies all three
    double tau;                      // share of the critics that enters the targets
    double target_entropy;           // of the whole action [nat]
    double max_gradient_norm;        // 0: no clipping. Actor, and both critics together; not the temperature
    int32_t learn_alpha;             // 0 or 1
    int32_t policy_delay;            // >= 1: actor and temperature step in updates number n, 2n, ...
    int32_t target_update_interval;  // >= 1: the targets move in updates number n, 2n, ...
} SacSettings;

typedef struct SacTrained {  // a network, or log alpha, with its Adam
    float *parameters;
    float *first_moment;
    float *second_moment;
    int64_t steps;  // of Adam so far; advanced by sac_update
} SacTrained;

typedef struct SacState {
    SacTrained actor;      // per layer weight (in, out), bias (out,); the last layer has 2a outputs, means first
    SacTrained critics;    // per layer weight (2, in, out), bias (2, 1, out); the input is (observation, action)
    SacTrained log_alpha;  // (1,)
    float *targets;        // as critics.parameters
    const float *mean;     // (o,), of raw observations
    const float *std;      // (o,), never 0
    int64_t updates;       // so far; advanced by sac_update
} SacState;

typedef struct SacBatch {           // k batches, one after the other
    const float *observation;       // (k, b, o), raw
    const float *action;            // (k, b, a), in [-1, 1]
    const float *reward;            // (k, b)
    const float *next_observation;  // (k, b, o), raw; may hold anything where discount is 0
    const float *discount;          // (k, b): gamma^n, and 0 where terminated
    const float *noise;             // (k, 2, b, a) from N(0, 1): for the observations, then for the next ones
} SacBatch;

typedef struct SacMetrics {  // means over the batch of the newest update; what that update did not make is left alone
    float critic_loss;       // mean squared error over both critics
    float q;                 // over both critics
    float alpha;             // before its step
    float actor_loss;        // this and the two below: of the newest update in which the actor stepped
    float entropy;
    float alpha_loss;        // left alone unless learn_alpha
} SacMetrics;

// Scratch memory and threads for updates of one shape; NULL where the shape is invalid or memory is short.
SAC_PUBLIC void *sac_create(const SacShape *shape);
SAC_PUBLIC void sac_destroy(void *handle);

// Makes k >= 1 updates in place. Returns 1 if every parameter (of actor, critics, targets, log alpha) is finite
// afterwards, 0 if not, -1 if nothing was done because k, policy_delay or target_update_interval is below 1.
SAC_PUBLIC int32_t sac_update(void *handle, const SacSettings *settings, SacState *state, const SacBatch *batch,
                              int32_t k, SacMetrics *metrics);

// Name of the instruction set that was chosen on this machine, such as "x86-64-v4".
SAC_PUBLIC const char *sac_instruction_set(void);

// SAC_UPDATE_INTERFACE of the library: another number than expected means another layout of the structs above.
#define SAC_UPDATE_INTERFACE 1
SAC_PUBLIC int32_t sac_interface(void);

#ifdef __cplusplus
}
#endif
#endif
