// Whole updates of Soft Actor-Critic v2 with gradients derived by hand: the numbers of readable/soft_actor_critic.py.
// Knows nothing of where batches come from. Compiled once per instruction set; see updater.h.
#include "adam.h"
#include "denormals.h"
#include "network.h"
#include "pair.h"
#include "squashed_gaussian.h"
#include "updater.h"

namespace {

class Update {
public:
    explicit Update(const SacShape &shape);
    bool make(const SacSettings &settings, SacState &state, const SacBatch &batch, int count, SacMetrics &metrics);

private:
    void make_one();
    void step_alpha();
    void step_critics();
    void step_actor();
    void find_action_gradient();
    void write_observations(const float *from, const Matrix &to) const;
    void write_actions(const float *from, int64_t row_step, int64_t column_step, const Matrix &to) const;
    void sample_policy(const Matrix &x, const Hidden &hidden, const float *noise, const Sample &sample) const;
    AdamStep adam_step(SacTrained &trained, double learning_rate, const float *gradient, int64_t size) const;
    static void apply(const AdamStep &step, int64_t begin, int64_t end, const float *gradient,
                      const SacTrained &trained);
    float mean(const float *x) const { return dot(x, ones_, b_) / static_cast<float>(b_); }
    float *floats(int64_t n) { return memory_.array<float>(n); }

    template <class Part>
    void both(const Part &part) {  // part(0) and part(1), side by side where there are two threads
        auto job = [](void *context, int half) {
            WithoutDenormals scope;
            (*static_cast<const Part *>(context))(half);
        };
        pair_.run(job, const_cast<Part *>(&part));
    }

    sac_native::Memory memory_;
    int o_, a_, b_;
    int64_t stride_;  // b with padding
    Layout actor_layout_, critic_layout_;
    Weights actor_, critics_[2], targets_[2];
    Hidden actor_hidden_, actor_deltas_, hidden_[2], deltas_[2];  // the latter two: of twins
    float *actor_gradient_, *critic_gradient_;
    Matrix taken_, chosen_, next_;  // inputs of critics: (s, a of the batch), (s, a of the policy), (s', a')
    Sample now_, later_;            // of the policy at s and at s'
    float *of_head_, *of_action_;   // ∂J/∂(actor's head) (2a, stride), ∂J/∂action (a, stride)
    struct {                        // of each critic
        float *q, *next_q, *error;  // (stride,)
        float *of_q, *of_action;    // ∂J/∂q (stride,), ∂J/∂action (a, stride) in the order of `rows`
        int *rows, count;           // those rows of the batch in which this critic's value is the smaller one
    } twin_[2] = {};
    float *least_, *ones_, *inverse_std_;
    int *every_row_;

    const SacSettings *settings_ = nullptr;  // this and the following ones: of the call under way
    SacState *state_ = nullptr;
    SacMetrics *metrics_ = nullptr;
    SacBatch batch_{};
    float alpha_ = 0.0f;

    sac_native::Pair pair_;  // last, so that its thread ends first
};

int *make_sizes(sac_native::Memory &memory, const SacShape &shape, int in, int out) {
    int *sizes = memory.array<int>(shape.hidden_layers + 2);
    sizes[0] = in;
    for (int i = 0; i < shape.hidden_layers; ++i) sizes[i + 1] = shape.hidden_sizes[i];
    sizes[shape.hidden_layers + 1] = out;
    return sizes;
}

Update::Update(const SacShape &shape)
    : o_(shape.observation_size), a_(shape.action_size), b_(shape.batch_size), pair_(shape.threads > 1) {
    stride_ = padded(b_);
    int64_t actions = a_ * stride_;
    actor_layout_ = {shape.hidden_layers + 1, make_sizes(memory_, shape, o_, 2 * a_), 1};
    critic_layout_ = {shape.hidden_layers + 1, make_sizes(memory_, shape, o_ + a_, 1), 2};
    actor_ = make_weights(memory_, actor_layout_);
    actor_hidden_ = make_hidden(memory_, actor_layout_, b_);
    actor_deltas_ = make_hidden(memory_, actor_layout_, b_);
    for (int t = 0; t < 2; ++t) {
        critics_[t] = make_weights(memory_, critic_layout_);
        targets_[t] = make_weights(memory_, critic_layout_);
        hidden_[t] = make_hidden(memory_, critic_layout_, b_);
        deltas_[t] = make_hidden(memory_, critic_layout_, b_);
        twin_[t] = {floats(stride_), floats(stride_),  floats(stride_),
                    floats(stride_), floats(actions), memory_.array<int>(stride_), 0};
    }
    actor_gradient_ = floats(actor_layout_.size());
    critic_gradient_ = floats(critic_layout_.size());
    taken_ = make_matrix(memory_, b_, o_ + a_);
    chosen_ = make_matrix(memory_, b_, o_ + a_);
    next_ = make_matrix(memory_, b_, o_ + a_);
    now_ = {floats(2 * actions), floats(actions), floats(actions), floats(actions), floats(stride_)};
    later_ = {floats(2 * actions), floats(actions), floats(actions), floats(actions), floats(stride_)};
    of_head_ = floats(2 * actions);
    of_action_ = floats(actions);
    least_ = floats(stride_);
    ones_ = floats(stride_);
    inverse_std_ = floats(o_);
    every_row_ = memory_.array<int>(stride_);
    for (int r = 0; r < b_; ++r) every_row_[r] = r;
    for (int r = 0; r < stride_; ++r) ones_[r] = 1.0f;
}

bool Update::make(const SacSettings &settings, SacState &state, const SacBatch &batch, int count, SacMetrics &metrics) {
    WithoutDenormals scope;
    settings_ = &settings;
    state_ = &state;
    metrics_ = &metrics;
    both([&](int t) {  // the caller may have changed them since the last call
        if (t == 0) load(actor_, actor_layout_, state.actor.parameters, 0, Purpose::learn);
        load(critics_[t], critic_layout_, state.critics.parameters, t, Purpose::learn);
        load(targets_[t], critic_layout_, state.targets, t, Purpose::evaluate);
    });
    for (int i = 0; i < o_; ++i) inverse_std_[i] = 1.0f / state.std[i];
    for (int k = 0; k < count; ++k) {
        int64_t n = int64_t{k} * b_;
        batch_ = {batch.observation + n * o_,      batch.action + n * a_, batch.reward + n,
                  batch.next_observation + n * o_, batch.discount + n,    batch.noise + 2 * n * a_};
        ++state.updates;
        make_one();
    }
    return is_finite(state.actor.parameters, actor_layout_.size()) &&
           is_finite(state.critics.parameters, critic_layout_.size()) &&
           is_finite(state.targets, critic_layout_.size()) && is_finite(state.log_alpha.parameters, 1);
}

// The order is that of soft_actor_critic.py: one sample of the policy serves temperature and actor, and alpha is that
// of before its step throughout.
void Update::make_one() {
    bool with_actor = state_->updates % settings_->policy_delay == 0;
    alpha_ = __builtin_expf(state_->log_alpha.parameters[0]);
    metrics_->alpha = alpha_;
    both([&](int half) {
        if (half == 0) {
            write_observations(batch_.observation, taken_);
            write_actions(batch_.action, a_, 1, taken_);
            if (!with_actor) return;
            write_observations(batch_.observation, chosen_);
            sample_policy(chosen_, actor_hidden_, batch_.noise, now_);
        } else {
            write_observations(batch_.next_observation, next_);
            sample_policy(next_, hidden_[1], batch_.noise + int64_t{b_} * a_, later_);
        }
    });
    if (with_actor && settings_->learn_alpha) step_alpha();
    step_critics();
    if (with_actor) step_actor();
}

// The policy at x (b, o + a), whose actions are written here: the actor reads the first o columns only.
void Update::sample_policy(const Matrix &x, const Hidden &hidden, const float *noise, const Sample &sample) const {
    evaluate(actor_, actor_layout_, x, b_, hidden, sample.head, stride_);
    for (int j = 0; j < a_; ++j)
        for (int r = 0; r < b_; ++r) sample.noise[j * stride_ + r] = noise[int64_t{r} * a_ + j];
    draw(sample, a_, stride_);
    write_actions(sample.action, 1, stride_, x);
}

// J(alpha) = -log alpha mean(log pi + target entropy)
void Update::step_alpha() {
    SacTrained &trained = state_->log_alpha;
    float gradient = -(mean(now_.log_prob) + static_cast<float>(settings_->target_entropy));
    metrics_->alpha_loss = trained.parameters[0] * gradient;
    double rate = settings_->alpha_learning_rate * settings_->learning_rate_scale;
    AdamStep step(rate, ++trained.steps, 1.0f);
    apply(step, 0, 1, &gradient, trained);
}

// y = r + discount (min Q̄(s', a') - alpha log pi(a'|s')), ∂J/∂Q = (Q - y) / b; then the targets follow.
void Update::step_critics() {
    both([&](int t) {
        evaluate(targets_[t], critic_layout_, next_, b_, hidden_[t], twin_[t].next_q, stride_);
        evaluate(critics_[t], critic_layout_, taken_, b_, hidden_[t], twin_[t].q, stride_);
    });
    const float share = 1.0f / static_cast<float>(b_);
    for (int r = 0; r < b_; ++r) {
        float q0 = twin_[0].next_q[r], q1 = twin_[1].next_q[r];
        float value = (q0 < q1 || q0 != q0 ? q0 : q1) - alpha_ * later_.log_prob[r];  // NaN if either is
        // Not only a product: 0 times NaN is NaN, and what follows a termination need not make sense.
        float y = batch_.discount[r] != 0.0f ? batch_.reward[r] + batch_.discount[r] * value : batch_.reward[r];
        for (auto &twin : twin_) {
            twin.error[r] = twin.q[r] - y;
            twin.of_q[r] = twin.error[r] * share;
        }
    }
    float squares = dot(twin_[0].error, twin_[0].error, b_) + dot(twin_[1].error, twin_[1].error, b_);
    metrics_->critic_loss = squares / static_cast<float>(2 * b_);
    metrics_->q = 0.5f * (mean(twin_[0].q) + mean(twin_[1].q));

    both([&](int t) {
        propagate(critics_[t], critic_layout_, hidden_[t], twin_[t].of_q, stride_, every_row_, {0, b_}, deltas_[t]);
        differentiate(critic_layout_, t, taken_, hidden_[t], deltas_[t], twin_[t].of_q, stride_, b_, ones_, -1,
                      critic_gradient_);
    });
    SacTrained &trained = state_->critics;
    AdamStep step = adam_step(trained, settings_->critic_learning_rate, critic_gradient_, critic_layout_.size());
    bool with_targets = state_->updates % settings_->target_update_interval == 0;
    both([&](int t) {
        each_block(critic_layout_, t, [&](const Block &block) {
            apply(step, block.begin, block.end, critic_gradient_, trained);
            load(critics_[t], critic_layout_, trained.parameters, t, block, Purpose::learn);
            if (!with_targets) return;
            approach(block.begin, block.end, state_->targets, trained.parameters, static_cast<float>(settings_->tau));
            load(targets_[t], critic_layout_, state_->targets, t, block, Purpose::evaluate);
        });
    });
}

// J = mean(alpha log pi - min Q)
void Update::step_actor() {
    find_action_gradient();
    differentiate(now_, a_, stride_, of_action_, alpha_ / static_cast<float>(b_), of_head_);
    float entropy = -mean(now_.log_prob);
    metrics_->entropy = entropy;
    metrics_->actor_loss = -alpha_ * entropy - mean(least_);

    const int middle = (b_ / 2 + kTileRows - 1) / kTileRows * kTileRows;
    both([&](int half) {
        Range rows = half == 0 ? Range{0, smaller(middle, b_)} : Range{smaller(middle, b_), b_};
        propagate(actor_, actor_layout_, actor_hidden_, of_head_, stride_, every_row_, rows, actor_deltas_);
    });
    both([&](int half) {
        differentiate(actor_layout_, 0, chosen_, actor_hidden_, actor_deltas_, of_head_, stride_, b_, ones_, half,
                      actor_gradient_);
    });
    SacTrained &trained = state_->actor;
    AdamStep step = adam_step(trained, settings_->actor_learning_rate, actor_gradient_, actor_layout_.size());
    both([&](int half) {
        int number = 0;
        each_block(actor_layout_, 0, [&](const Block &block) {
            if (number++ % 2 != half) return;
            apply(step, block.begin, block.end, actor_gradient_, trained);
            load(actor_, actor_layout_, trained.parameters, 0, block, Purpose::learn);
        });
    });
}

// ∂J/∂(action) through -min Q. In each row only the smaller critic passes a gradient, so each goes back with its own
// rows only: the work of one critic instead of two.
void Update::find_action_gradient() {
    both([&](int t) { evaluate(critics_[t], critic_layout_, chosen_, b_, hidden_[t], twin_[t].q, stride_); });
    twin_[0].count = twin_[1].count = 0;
    for (int r = 0; r < b_; ++r) {
        bool second = !(twin_[0].q[r] <= twin_[1].q[r]);
        least_[r] = twin_[second].q[r];
        twin_[second].rows[twin_[second].count++] = r;
    }
    both([&](int t) {
        auto &twin = twin_[t];
        for (int i = 0; i < twin.count; ++i) twin.of_q[i] = -1.0f / static_cast<float>(b_);
        propagate(critics_[t], critic_layout_, hidden_[t], twin.of_q, stride_, twin.rows, {0, twin.count}, deltas_[t]);
        for (int j = 0; j < a_; ++j) {  // the first layer's weights of the actions, which follow those of observations
            float *to = twin.of_action + j * stride_;
            multiply_by_row(deltas_[t].outputs[0], critics_[t].forward[0], o_ + j, twin.count, 0.0f, to);
            for (int i = 0; i < twin.count; ++i) of_action_[j * stride_ + twin.rows[i]] = to[i];
        }
    });
}

// Division by the deviation is a product here: it differs from a quotient in the last bit only.
void Update::write_observations(const float *from, const Matrix &to) const {
    for (int r = 0; r < b_; ++r)
        for (int i = 0; i < o_; ++i) to.at(r, i) = (from[int64_t{r} * o_ + i] - state_->mean[i]) * inverse_std_[i];
}

void Update::write_actions(const float *from, int64_t row_step, int64_t column_step, const Matrix &to) const {
    for (int r = 0; r < b_; ++r)
        for (int j = 0; j < a_; ++j) to.at(r, o_ + j) = from[r * row_step + j * column_step];
}

AdamStep Update::adam_step(SacTrained &trained, double learning_rate, const float *gradient, int64_t size) const {
    double limit = settings_->max_gradient_norm;
    float scale = limit > 0.0 ? clipping(dot(gradient, gradient, size), limit) : 1.0f;
    return AdamStep(learning_rate * settings_->learning_rate_scale, ++trained.steps, scale);
}

void Update::apply(const AdamStep &step, int64_t begin, int64_t end, const float *gradient,
                   const SacTrained &trained) {
    step.apply(begin, end, gradient, trained.parameters, trained.first_moment, trained.second_moment);
}

}  // namespace

namespace sac_native {

extern const Build SAC_BUILD;
const Build SAC_BUILD = {
    SAC_INSTRUCTION_SET,
    [](const SacShape &shape) -> void * { return new Update(shape); },
    [](void *handle) { delete static_cast<Update *>(handle); },
    [](void *handle, const SacSettings &settings, SacState &state, const SacBatch &batch, int32_t count,
       SacMetrics &metrics) { return static_cast<Update *>(handle)->make(settings, state, batch, count, metrics); },
};

}  // namespace sac_native
