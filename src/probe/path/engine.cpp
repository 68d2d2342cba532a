#include "probe/path/engine.hpp"

#include "base/assert.hpp"
#include "probe/path/linux_port.hpp"
#include "probe/phase.hpp"
#include "probe/policy.hpp"

#include <algorithm>

namespace nw::probe::path {
namespace {

constexpr Nanos kFirstSpacingMax = Millis(100);
// The kernel begins to stamp replies a moment after a socket asks for it.
constexpr Nanos kFirstDelay = Millis(20);
constexpr std::size_t kTakeMax = 256;
// A step of the wall clock worth following; smaller differences come from reading two clocks one after another.
constexpr Nanos kStepMin = Millis(5);

std::uint16_t port_of(const PathSettings& settings)
{
    if (settings.protocol == Protocol::Icmp) return 0;
    if (settings.port != 0) return settings.port;
    return settings.protocol == Protocol::Udp ? kUdpPort : kTcpPort;
}

}  // namespace

struct PathEngine::Target {
    ProbeId id{};
    PathSettings settings{};
    bool off_beat = false;
    bool is_name = false;
    bool resolving = false;
    HostAddress address{};
    packet::Address source{};
    bool has_address = false;
    std::uint32_t socket = 0;
    Instant valid_until{};
    std::string problem{};  // why there is no address, or why it must not be used
    Outcome problem_outcome = Outcome::DnsError;
};

struct PathEngine::Starting {
    std::unique_ptr<Target> target{};
    StartOptions options{};
    std::uint64_t token = 0;
};

PathEngine::PathEngine(const EngineContext& context, std::unique_ptr<Port> port, PathObserver& observer)
    : context_(context), port_(std::move(port)), observer_(observer), instant_zero_(context_.clock.instant()),
      epoch_zero_(context_.clock.wall().time_since_epoch()), core_(*this, now()), timer_(context_.loop),
      tasks_(context_.loop.get_executor(), context_.log)
{}

PathEngine::~PathEngine() = default;

Moment PathEngine::now() const { return Moment(epoch_zero_ + (context_.clock.instant() - instant_zero_)); }

WallTime PathEngine::to_wall(Moment when) const
{
    return WallTime(std::chrono::floor<Micros>(when.time_since_epoch() + wall_ahead_));
}

Moment PathEngine::from_kernel(KernelTime when) const { return Moment(when.time_since_epoch() - wall_ahead_); }

Moment PathEngine::frontier(ProbeId probe) const
{
    const auto found = by_id_.find(probe);
    return found == by_id_.end() ? Moment::max() : core_.frontier(found->second);
}

// As the ping engine does: kernel stamps are brought to the timeline by what the wall clock has been set since, and
// every probe keeps its beat.
void PathEngine::follow_wall_clock()
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
        if (!by_slot_[slot]->off_beat)
            core_.relock(slot, Moment(next_start(probe, by_slot_[slot]->settings.interval, wall_now) - wall_ahead_));
}

Status PathEngine::start(ProbeId probe, const PathSettings& settings, const StartOptions& options)
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

Task<void> PathEngine::resolve_and_launch(ProbeId probe, std::uint64_t token)
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

void PathEngine::launch(std::unique_ptr<Target> target, const StartOptions& options)
{
    const auto& settings = target->settings;
    const auto probe = target->id;
    const auto earliest = now() + kFirstDelay;
    const auto on_phase = [&](Moment from) {
        return Moment(next_start(probe, settings.interval, from.time_since_epoch() + wall_ahead_) - wall_ahead_);
    };
    const bool at_once = options.first == FirstRun::AtOnce;
    const bool off_beat = options.first == FirstRun::OffBeat;
    const Plan plan{.interval = settings.interval,
                    .spacing = settings.spacing,
                    .first_spacing = at_once ? std::min(settings.spacing, kFirstSpacingMax) : settings.spacing,
                    .timeout = settings.timeout,
                    .cycles = settings.cycles,
                    .runs_max = options.runs_max,
                    .hops_max = settings.hops_max,
                    .flows = settings.flows,
                    .explore = settings.explore,
                    .follow_on = off_beat};
    target->off_beat = off_beat;
    const auto first = at_once || off_beat ? earliest : on_phase(earliest);
    const auto next = at_once ? on_phase(first + plan.first_spacing * std::int64_t(plan.cycles)) : first + settings.interval;
    const auto slot = core_.add(plan, first, next, now());
    if (slot >= by_slot_.size()) by_slot_.resize(slot + 1);
    by_slot_[slot] = std::move(target);
    by_id_[probe] = slot;
    ++occupied_;
    timer_.cancel();  // it may be due before what the engine sleeps for
}

void PathEngine::stop(ProbeId probe)
{
    starting_.erase(probe);
    const auto running = by_id_.find(probe);
    if (running == by_id_.end()) return;
    const auto slot = running->second;
    by_id_.erase(running);
    core_.retire(slot, Core::Ending::Drop);
}

void PathEngine::set_address(Target& target, const HostAddress& address)
{
    if (target.has_address && target.address == address) return;
    const auto socket = port_->acquire({.family = address.address.family, .device = target.settings.device});
    if (target.has_address) port_->release(target.socket);
    target.address = address;
    target.socket = socket;
    target.has_address = true;
    observer_.target_changed(target.id, address.address, {});
}

void PathEngine::take_answer(Target& target, const probe::Answer& answer)
{
    target.resolving = false;
    target.valid_until = answer.valid_until;
    target.problem.clear();
    if (!answer.ok()) {
        target.problem_outcome = Outcome::DnsError;
        target.problem = "cannot resolve " + target.settings.target + ": " + answer.error;
        return observer_.target_changed(target.id, std::nullopt, target.problem);
    }
    // An address in use stays in use while the name still has it.
    const auto still = target.has_address && std::ranges::find(answer.addresses, target.address) != answer.addresses.end();
    const auto& chosen = still ? target.address : answer.addresses.front();
    if (const auto objection = context_.policy.objection(chosen.address)) {
        target.problem_outcome = Outcome::ConfigError;
        target.problem = *objection;
        return observer_.target_changed(target.id, std::nullopt, target.problem);
    }
    set_address(target, HostAddress(chosen));
}

void PathEngine::refresh(std::uint32_t slot)
{
    auto& target = *by_slot_[slot];
    if (!target.is_name || target.resolving || context_.clock.instant() < target.valid_until) return;
    target.resolving = true;
    const auto& settings = target.settings;
    tasks_.spawn("resolve",
                 resolve_again(slot, core_.generation(slot), {settings.target, settings.family, settings.device}));
}

Task<void> PathEngine::resolve_again(std::uint32_t slot, std::uint32_t generation, Question question)
{
    const auto answer = co_await context_.resolver.resolve(std::move(question));
    if (core_.generation(slot) == generation && by_slot_[slot]) take_answer(*by_slot_[slot], answer);
}

void PathEngine::run() { tasks_.spawn("path", drive()); }

Task<void> PathEngine::drive()
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

Instant PathEngine::next_turn() const
{
    auto wake = core_.next_wake();
    if (core_.waiting() > 0) wake = std::min(wake, turned_ + (core_.is_discovering() ? kReadEveryDiscovering : kReadEvery));
    // The wheel knows timers some forty seconds ahead; a longer sleep gains nothing.
    wake = std::min(wake, turned_ + Seconds(30));
    return instant_zero_ + std::chrono::duration_cast<Instant::duration>(wake.time_since_epoch() - epoch_zero_);
}

void PathEngine::turn()
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

void PathEngine::send_due(Moment when)
{
    while (core_.has_due() && allowance_ >= 1) {
        due_.clear();
        outgoing_.clear();
        core_.take_due(when, std::min(kTakeMax, std::size_t(allowance_)), due_);
        if (due_.empty()) return;
        for (const auto& due : due_) {
            if (!ready_to_send(due.id, when)) continue;
            const auto& target = *by_slot_[due.id.slot];
            const auto& settings = target.settings;
            outgoing_.push_back({.id = due.id,
                                 .socket = target.socket,
                                 .source = target.source,
                                 .to = {target.address.address, target.address.scope},
                                 .protocol = settings.protocol,
                                 .port = port_of(settings),
                                 .flow = due.flow,
                                 .size = settings.size,
                                 .ttl = due.ttl,
                                 .dscp = settings.dscp,
                                 .dont_fragment = settings.dont_fragment});
        }
        allowance_ -= double(outgoing_.size());
        packets_sent_ += outgoing_.size();
        if (!outgoing_.empty()) port_->send(outgoing_, when, *this);
        if (!core_.has_due()) return;
        port_->receive(*this);  // a long queue must not fill the sockets' buffers
        when = now();
    }
}

bool PathEngine::ready_to_send(const Identity& id, Moment when)
{
    if (!core_.is_waiting(id)) return false;  // its run has just failed
    if (!core_.begins_run(id)) return true;
    refresh(id.slot);
    auto& target = *by_slot_[id.slot];
    if (!target.problem.empty() || !target.has_address) {
        core_.fail_run(id, target.problem_outcome, target.problem);
        return false;
    }
    const auto source =
        port_->prepare(target.socket, {target.address.address, target.address.scope}, target.settings.protocol, when);
    if (!source) {
        core_.fail_run(id, source.error().outcome, source.error().why);
        return false;
    }
    target.source = *source;
    return true;
}

void PathEngine::probe_settled(std::uint32_t slot, const Settled& probe)
{
    observer_.probe_settled(by_slot_[slot]->id, probe);
}

void PathEngine::explored(std::uint32_t slot, const Exploration& found) { observer_.explored(by_slot_[slot]->id, found); }

void PathEngine::run_finished(std::uint32_t slot, const RunEnd& run) { observer_.run_finished(by_slot_[slot]->id, run); }

void PathEngine::slot_free(std::uint32_t slot)
{
    auto& target = by_slot_[slot];
    if (const auto found = by_id_.find(target->id); found != by_id_.end() && found->second == slot) by_id_.erase(found);
    if (target->has_address) port_->release(target->socket);
    target.reset();
    --occupied_;
    if (idle()) observer_.idle();
}

void PathEngine::on_transmitted(const Identity& id, KernelTime when) { core_.transmitted(id, from_kernel(when)); }

void PathEngine::on_reply(const Reply& reply)
{
    const auto read = now();
    const auto stamp = reply.received ? from_kernel(*reply.received) : read;
    // A stamp from outside the time since the last reading is not one of this clock: it was set in between.
    const bool believable = reply.received && stamp <= read + Millis(1) && stamp >= read_before_ - Millis(1);
    core_.answered(reply, believable ? stamp : read, believable);
}

void PathEngine::on_send_failed(const Identity& id, Outcome outcome, std::string why)
{
    core_.send_failed(id, outcome, why);
}

void PathEngine::on_dropped(std::uint64_t replies)
{
    socket_drops_ += replies;
    // Answers of any trace may have been among them: what is open now would be taken for loss.
    core_.taint("replies were dropped in this agent's own socket buffer");
}

EngineHealth PathEngine::health()
{
    const EngineHealth health{.packets_sent = packets_sent_,
                              .socket_drops = socket_drops_,
                              .lateness_p99 = lateness_.empty() ? Nanos(0) : lateness_.quantile(0.99)};
    lateness_.clear();
    return health;
}

Task<void> PathEngine::close() { co_await tasks_.close(); }

std::unique_ptr<PathEngine> make_path_engine(const EngineContext& context, PathObserver& observer)
{
    auto engine = std::make_unique<PathEngine>(context, std::make_unique<LinuxPort>(context.random), observer);
    engine->run();
    return engine;
}

}  // namespace nw::probe::path
