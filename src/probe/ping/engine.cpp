#include "probe/ping/engine.hpp"

#include "base/assert.hpp"
#include "model/kinds/ping.hpp"
#include "probe/phase.hpp"
#include "probe/ping/linux_port.hpp"
#include "probe/policy.hpp"

#include <algorithm>

namespace nw::probe::ping {
namespace {

constexpr Nanos kFirstSpacingMax = Millis(100);
// The kernel begins to stamp replies a moment after a socket asks for it.
constexpr Nanos kFirstDelay = Millis(20);
constexpr std::size_t kTakeMax = 256;
// A step of the wall clock worth following; smaller differences come from reading two clocks one after another.
constexpr Nanos kStepMin = Millis(5);

}  // namespace

struct PingEngine::Target {
    ProbeId id{};
    PingSettings settings{};
    bool is_name = false;
    bool resolving = false;
    HostAddress address{};
    HostAddress previous{};
    Moment changed{};  // runs that began before it went to `previous`
    bool has_address = false;
    std::uint32_t socket = 0;
    Instant valid_until{};
    std::int64_t resolve_us = kAbsent;  // of the resolution that the next finished run reports
    std::string problem{};              // why there is no address, or why it must not be used
    Outcome problem_outcome = Outcome::DnsError;
};

struct PingEngine::Starting {
    std::unique_ptr<Target> target{};
    StartOptions options{};
    std::uint64_t token = 0;
};

PingEngine::PingEngine(const EngineContext& context, std::unique_ptr<Port> port)
    : context_(context), kind_(kinds::ping), port_(std::move(port)), instant_zero_(context_.clock.instant()),
      epoch_zero_(context_.clock.wall().time_since_epoch()), core_(*this, now()), timer_(context_.loop),
      tasks_(context_.loop.get_executor(), context_.log)
{}

PingEngine::~PingEngine() = default;

Moment PingEngine::now() const { return Moment(epoch_zero_ + (context_.clock.instant() - instant_zero_)); }

WallTime PingEngine::to_wall(Moment when) const
{
    return WallTime(std::chrono::floor<Micros>(when.time_since_epoch() + wall_ahead_));
}

Moment PingEngine::from_kernel(KernelTime when) const { return Moment(when.time_since_epoch() - wall_ahead_); }

// 1. Kernel stamps are wall time; they are brought to the timeline by what the wall clock has been set since.
// 2. When it has been set, the beat of every probe is found anew, so that it stays k x interval + phase.
void PingEngine::follow_wall_clock()
{
    const auto ahead = [&] { return context_.clock.wall().time_since_epoch() - now().time_since_epoch(); };
    auto measured = Nanos(ahead());
    if (std::chrono::abs(measured - wall_ahead_) < kStepMin) return;
    measured = Nanos(ahead());  // once more: the agent may have been interrupted between the two clocks
    if (std::chrono::abs(measured - wall_ahead_) < kStepMin) return;
    context_.log.warn("the wall clock was set by {} ms", std::chrono::duration_cast<Millis>(measured - wall_ahead_).count());
    wall_ahead_ = measured;
    const auto wall_now = now().time_since_epoch() + wall_ahead_;
    for (const auto& [probe, slot] : by_id_)
        core_.relock(slot, Moment(next_start(probe, by_slot_[slot]->settings.interval, wall_now) - wall_ahead_));
}

Status PingEngine::start(const ProbeSpec& spec)
{
    NW_TRY(const auto settings, settings_of(spec));
    return start(spec.id, settings, {});
}

Status PingEngine::start(ProbeId probe, const PingSettings& settings, StartOptions options)
{
    if (const auto running = by_id_.find(probe); running != by_id_.end()) {
        if (by_slot_[running->second]->settings == settings) return {};
    }
    auto target = std::make_unique<Target>(Target{.id = probe, .settings = settings});
    const auto literal = literal_address(settings.target);
    if (literal) {
        const bool v4 = literal->address.family == packet::Family::V4;
        if (settings.family == (v4 ? FamilyWish::V6 : FamilyWish::V4))
            return fail_field("settings.family", "the target is an address of the other family");
        if (const auto objection = context_.policy.objection(literal->address)) return fail(Errc::Denied, *objection);
    }
    starting_.erase(probe);
    if (const auto running = by_id_.find(probe); running != by_id_.end()) {
        core_.retire(running->second, Core::Ending::Drain);
        by_id_.erase(probe);
    }
    if (literal) {
        set_address(*target, *literal);
        launch(std::move(target), options);
        return {};
    }
    target->is_name = true;
    const auto token = ++tokens_;
    starting_[probe] = std::make_unique<Starting>(Starting{std::move(target), options, token});
    tasks_.spawn("resolve", resolve_and_launch(probe, token));
    return {};
}

Task<void> PingEngine::resolve_and_launch(ProbeId probe, std::uint64_t token)
{
    const auto& settings = starting_.at(probe)->target->settings;
    Question question{settings.target, settings.family, settings.device};
    const auto answer = co_await context_.resolver.resolve(std::move(question));
    const auto found = starting_.find(probe);
    if (found == starting_.end() || found->second->token != token) co_return;  // stopped or changed meanwhile
    auto starting = std::move(found->second);
    starting_.erase(found);
    take_answer(*starting->target, answer);
    launch(std::move(starting->target), starting->options);
}

void PingEngine::launch(std::unique_ptr<Target> target, const StartOptions& options)
{
    const auto& settings = target->settings;
    const auto probe = target->id;
    const auto earliest = now() + kFirstDelay;
    const auto on_phase = [&](Moment from) {
        return Moment(next_start(probe, settings.interval, from.time_since_epoch() + wall_ahead_) - wall_ahead_);
    };
    const bool at_once = options.first == FirstRun::AtOnce;
    const Plan plan{.interval = settings.interval,
                    .timeout = settings.timeout,
                    .spacing = settings.spacing,
                    .first_spacing = at_once ? std::min(settings.spacing, kFirstSpacingMax) : settings.spacing,
                    .packets = settings.packets,
                    .runs_max = options.runs_max};
    const auto first = at_once ? earliest : on_phase(earliest);
    const auto next = at_once ? on_phase(first + plan.first_spacing * std::int64_t(plan.packets - 1) + plan.spacing / 2)
                              : first + settings.interval;
    const auto slot = core_.add(plan, first, next, now());
    if (slot >= by_slot_.size()) by_slot_.resize(slot + 1);
    by_slot_[slot] = std::move(target);
    by_id_[probe] = slot;
    ++occupied_;
    timer_.cancel();  // it may be due before what the engine sleeps for
}

void PingEngine::stop(ProbeId probe)
{
    starting_.erase(probe);
    const auto running = by_id_.find(probe);
    if (running == by_id_.end()) return;
    const auto slot = running->second;
    by_id_.erase(running);
    core_.retire(slot, Core::Ending::Drop);
}

void PingEngine::set_address(Target& target, const HostAddress& address)
{
    if (target.has_address && target.address == address) return;
    const Path path{.family = address.address.family,
                    .device = target.settings.device,
                    .source = target.settings.source,
                    .dont_fragment = target.settings.dont_fragment,
                    .stamp_sends = target.settings.stamp_sends};
    const auto socket = port_->acquire(path);
    if (target.has_address) port_->release(target.socket);
    target.previous = target.has_address ? target.address : address;
    target.changed = now();
    target.address = address;
    target.socket = socket;
    target.has_address = true;
}

void PingEngine::take_answer(Target& target, const Answer& answer)
{
    target.resolving = false;
    target.valid_until = answer.valid_until;
    target.problem.clear();
    if (!answer.cached) target.resolve_us = std::chrono::duration_cast<Micros>(answer.took).count();
    if (!answer.ok()) {
        target.problem_outcome = Outcome::DnsError;
        target.problem = "cannot resolve " + target.settings.target + ": " + answer.error;
        return;
    }
    // An address in use stays in use while the name still has it.
    const auto still = target.has_address && std::ranges::find(answer.addresses, target.address) != answer.addresses.end();
    const auto& chosen = still ? target.address : answer.addresses.front();
    if (const auto objection = context_.policy.objection(chosen.address)) {
        target.problem_outcome = Outcome::ConfigError;
        target.problem = *objection;
        return;
    }
    set_address(target, HostAddress(chosen));
}

void PingEngine::refresh(std::uint32_t slot)
{
    auto& target = *by_slot_[slot];
    if (!target.is_name || target.resolving || context_.clock.instant() < target.valid_until) return;
    target.resolving = true;
    const auto& settings = target.settings;
    tasks_.spawn("resolve",
                 resolve_again(slot, core_.generation(slot), {settings.target, settings.family, settings.device}));
}

Task<void> PingEngine::resolve_again(std::uint32_t slot, std::uint32_t generation, Question question)
{
    const auto answer = co_await context_.resolver.resolve(std::move(question));
    if (core_.generation(slot) == generation && by_slot_[slot]) take_answer(*by_slot_[slot], answer);
}

void PingEngine::run() { tasks_.spawn("ping", drive()); }

Task<void> PingEngine::drive()
{
    for (;;) {
        turn();
        const auto due = next_turn();
        timer_.expires_at(due);
        const auto [cancelled] = co_await timer_.async_wait(nothrow);
        const auto state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() != asio::cancellation_type::none) co_return;
        if (!cancelled) lateness_.add(context_.clock.instant() - due);
    }
}

Instant PingEngine::next_turn() const
{
    auto wake = core_.next_wake();
    if (core_.waiting() > 0) wake = std::min(wake, turned_ + kReadEvery);
    // The wheel knows timers some forty seconds ahead; a longer sleep gains nothing.
    wake = std::min(wake, turned_ + Seconds(30));
    return instant_zero_ + std::chrono::duration_cast<Instant::duration>(wake.time_since_epoch() - epoch_zero_);
}

void PingEngine::turn()
{
    follow_wall_clock();
    const auto when = now();
    read_before_ = turned_;
    if (core_.waiting() > 0) port_->receive(*this);
    core_.advance(when);
    const auto per_second = double(context_.packets_per_second_max);
    allowance_ =
        std::min(allowance_ + per_second * std::chrono::duration<double>(when - turned_).count(), per_second / 50 + 1);
    turned_ = when;
    send_due(when);
}

void PingEngine::send_due(Moment when)
{
    while (core_.has_due() && allowance_ >= 1) {
        due_.clear();
        outgoing_.clear();
        core_.take_due(when, std::min(kTakeMax, std::size_t(allowance_)), due_);
        for (const auto& id : due_) {
            if (!ready_to_send(id, when)) continue;
            const auto& target = *by_slot_[id.slot];
            outgoing_.push_back({.id = id,
                                 .socket = target.socket,
                                 .size = target.settings.size,
                                 .dscp = target.settings.dscp,
                                 .ttl = target.settings.ttl,
                                 .to = {target.address.address, target.address.scope}});
        }
        allowance_ -= double(outgoing_.size());
        packets_sent_ += outgoing_.size();
        if (!outgoing_.empty()) port_->send(outgoing_, when, *this);
        if (!core_.has_due()) return;
        port_->receive(*this);  // a long queue must not fill the sockets' buffers
        when = now();
    }
}

bool PingEngine::ready_to_send(const Identity& id, Moment when)
{
    if (!core_.is_waiting(id)) return false;  // its run has just failed
    if (!core_.begins_run(id)) return true;
    refresh(id.slot);
    const auto& target = *by_slot_[id.slot];
    if (!target.problem.empty() || !target.has_address) {
        core_.fail_run(id, target.problem_outcome, target.problem);
        return false;
    }
    if (auto obstacle = port_->check(target.socket, when)) {
        core_.fail_run(id, obstacle->outcome, std::move(obstacle->why));
        return false;
    }
    return true;
}

void PingEngine::run_finished(std::uint32_t slot, const RunResult& run)
{
    auto& target = *by_slot_[slot];
    auto sample = make_sample(kind_, target.id, to_wall(run.start));
    sample.outcome = run.outcome;
    sample.clock = run.clock;
    sample.reason = run.reason.substr(0, 512);
    if (target.has_address) sample.address = (run.start < target.changed ? target.previous : target.address).address.view();
    fill_columns(run, sample);
    if (target.resolve_us != kAbsent) sample.numbers[*kind_.column_index("resolve_us")] = target.resolve_us;
    target.resolve_us = kAbsent;
    context_.sink(std::move(sample));
}

void PingEngine::packet_settled(std::uint32_t slot, std::uint64_t seq, const Packet& packet, const RunResult& so_far)
{
    if (!observer_) return;
    const auto& target = *by_slot_[slot];
    observer_({.probe = target.id,
               .seq = seq,
               .sent = to_wall(packet.sent),
               .state = packet.state,
               .rtt = packet.rtt(),
               .clock = packet.state == PacketState::Answered ? so_far.clock : ClockSource::None,
               .ttl = so_far.ttl,
               .address = target.address.address,
               .outcome = packet.state == PacketState::Answered ? Outcome::Ok
                          : packet.state == PacketState::Lost   ? Outcome::Lost
                                                                : so_far.outcome,
               .reason = so_far.reason});
}

void PingEngine::slot_free(std::uint32_t slot)
{
    auto& target = by_slot_[slot];
    if (const auto found = by_id_.find(target->id); found != by_id_.end() && found->second == slot) by_id_.erase(found);
    if (target->has_address) port_->release(target->socket);
    target.reset();
    --occupied_;
    if (when_idle_ && idle()) when_idle_();
}

void PingEngine::on_transmitted(const Identity& id, KernelTime when) { core_.transmitted(id, from_kernel(when)); }

void PingEngine::on_reply(const Reply& reply)
{
    const auto read = now();
    const auto stamp = reply.received ? from_kernel(*reply.received) : read;
    // A stamp from outside the time since the last reading is not one of this clock: it was set in between.
    const bool believable = reply.received && stamp <= read + Millis(1) && stamp >= read_before_ - Millis(1);
    core_.answered(reply.id, believable ? stamp : read, believable, reply.ttl);
}

void PingEngine::on_error(const Identity& id, const std::optional<packet::Address>& about, std::string what)
{
    if (!core_.knows(id)) return;
    const auto& target = *by_slot_[id.slot];
    if (about && *about != target.address.address && *about != target.previous.address) return;
    core_.unreachable(id, std::move(what));
}

void PingEngine::on_corrupted(const Identity& id) { core_.corrupted(id); }

void PingEngine::on_send_failed(const Identity& id, Outcome outcome, std::string why)
{
    core_.send_failed(id, outcome, std::move(why));
}

void PingEngine::on_dropped(std::uint32_t socket, std::uint64_t replies)
{
    socket_drops_ += replies;
    for (std::uint32_t slot = 0; slot < by_slot_.size(); ++slot)
        if (by_slot_[slot] && by_slot_[slot]->has_address && by_slot_[slot]->socket == socket)
            core_.taint(slot, "replies were dropped in this agent's own socket buffer");
}

EngineHealth PingEngine::health()
{
    const EngineHealth health{.packets_sent = packets_sent_,
                              .socket_drops = socket_drops_,
                              .lateness_p99 = lateness_.empty() ? Nanos(0) : lateness_.quantile(0.99)};
    lateness_.clear();
    return health;
}

Task<void> PingEngine::close() { co_await tasks_.close(); }

std::unique_ptr<PingEngine> make_ping_engine(const EngineContext& context)
{
    const TagKey key{context.random.u64(), context.random.u64()};
    auto engine = std::make_unique<PingEngine>(context, std::make_unique<LinuxPort>(key, context.random));
    engine->run();
    return engine;
}

}  // namespace nw::probe::ping
