#include "probe/ping/engine.hpp"

#include "model/kinds/ping.hpp"
#include "probe/ping/linux_port.hpp"

#include <algorithm>

namespace nw::probe::ping {
namespace {

constexpr std::size_t kTakeMax = 256;

}  // namespace

PingEngine::PingEngine(const EngineContext& context, std::unique_ptr<Port> port)
    : context_(context), kind_(kinds::ping), port_(std::move(port)), time_(context_.clock),
      turns_(context_.loop, time_, context_.packets_per_second_max), core_(*this, time_.now()),
      tasks_(context_.loop.get_executor(), context_.log), roster_(context_, tasks_, core_, *this)
{}

PingEngine::~PingEngine() = default;

Status PingEngine::start(const ProbeSpec& spec)
{
    NW_TRY(const auto settings, settings_of(spec));
    return start(spec.id, settings, {});
}

Status PingEngine::start(ProbeId probe, const PingSettings& settings, StartOptions options)
{
    if (const auto* running = roster_.running(probe); running && running->settings == settings) return {};
    NW_TRY(auto where, TargetAddress::of({settings.target, settings.family, settings.device}, context_.policy));
    roster_.start(
        std::make_unique<Target>(Target{.id = probe, .settings = settings, .options = options, .where = std::move(where)}));
    return {};
}

void PingEngine::launch(std::unique_ptr<Target> target)
{
    const auto& settings = target->settings;
    relocated(*target);
    const auto start =
        time_.plan_start(target->id, target->options.first, settings.interval, settings.spacing, settings.packets);
    const auto slot = core_.add({.interval = settings.interval,
                                 .timeout = settings.timeout,
                                 .spacing = settings.spacing,
                                 .first_spacing = start.first_spacing,
                                 .packets = settings.packets,
                                 .runs_max = target->options.runs_max},
                                start.first, start.next, time_.now());
    roster_.place(slot, std::move(target));
    turns_.hurry();  // it may be due before what the engine sleeps for
}

void PingEngine::stop(ProbeId probe) { roster_.stop(probe); }

void PingEngine::relocated(Target& target)
{
    if (!target.where.known() || (target.socket && target.address == target.where.address())) return;
    const auto& address = target.where.address();
    const auto socket = port_->acquire({.family = address.address.family,
                                        .device = target.settings.device,
                                        .source = target.settings.source,
                                        .dont_fragment = target.settings.dont_fragment,
                                        .stamp_sends = target.settings.stamp_sends});
    target.previous = target.socket ? target.address : address;
    if (target.socket) port_->release(*target.socket);
    target.changed = time_.now();
    target.address = address;
    target.socket = socket;
}

void PingEngine::run()
{
    tasks_.spawn("ping", turns_.drive([this] { turn(); }, [this] { return next_turn(); }));
}

Moment PingEngine::next_turn() const { return turns_.next(core_.next_wake(), core_.waiting() > 0, kReadEvery); }

void PingEngine::turn()
{
    if (time_.follow_wall_clock(context_.log)) roster_.relock(time_);
    const auto when = turns_.begin();
    if (core_.waiting() > 0) port_->receive(*this);
    core_.advance(when);
    send_due(when);
}

void PingEngine::send_due(Moment when)
{
    while (core_.has_due() && turns_.allowance() >= 1) {
        due_.clear();
        outgoing_.clear();
        core_.take_due(when, std::min(kTakeMax, turns_.allowance()), due_);
        for (const auto& id : due_) {
            if (!ready_to_send(id, when)) continue;
            const auto& target = roster_.at(id.slot);
            outgoing_.push_back({.id = id,
                                 .socket = *target.socket,
                                 .size = target.settings.size,
                                 .dscp = target.settings.dscp,
                                 .ttl = target.settings.ttl,
                                 .to = {target.address.address, target.address.scope}});
        }
        turns_.spend(outgoing_.size());
        packets_sent_ += outgoing_.size();
        if (!outgoing_.empty()) port_->send(outgoing_, when, *this);
        if (!core_.has_due()) return;
        port_->receive(*this);  // a long queue must not fill the sockets' buffers
        when = time_.now();
    }
}

bool PingEngine::ready_to_send(const Identity& id, Moment when)
{
    if (!core_.is_waiting(id)) return false;  // its run has just failed
    if (!core_.begins_run(id)) return true;
    if (auto gone = roster_.obstacle(roster_.at(id.slot))) {
        core_.fail_run(id, gone->outcome, std::move(gone->why));
        return false;
    }
    roster_.refresh(id.slot);
    const auto& target = roster_.at(id.slot);
    if (const auto& problem = target.where.problem()) {
        core_.fail_run(id, problem->outcome, problem->why);
        return false;
    }
    if (!target.socket) {  // its device came back a moment ago, and it is about to begin anew
        core_.fail_run(id, Outcome::NotMeasured, "the name of the target is being looked up");
        return false;
    }
    if (auto obstacle = port_->check(*target.socket, when)) {
        core_.fail_run(id, obstacle->outcome, std::move(obstacle->why));
        return false;
    }
    return true;
}

void PingEngine::run_finished(std::uint32_t slot, const RunResult& run)
{
    auto& target = roster_.at(slot);
    auto sample = make_sample(kind_, target.id, time_.to_wall(run.start));
    sample.outcome = run.outcome;
    sample.clock = run.clock;
    sample.reason = run.reason.substr(0, 512);
    if (target.socket) sample.address = (run.start < target.changed ? target.previous : target.address).address.view();
    fill_columns(run, sample);
    if (const auto took = target.where.take_resolve_time())
        sample.numbers[*kind_.column_index("resolve_us")] = took->count();
    context_.sink(std::move(sample));
}

void PingEngine::packet_settled(std::uint32_t slot, std::uint64_t seq, const Packet& packet, const RunResult& so_far)
{
    if (!observer_) return;
    const auto& target = roster_.at(slot);
    observer_({.probe = target.id,
               .seq = seq,
               .sent = time_.to_wall(packet.sent),
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
    const auto target = roster_.vacate(slot);
    if (target->socket) port_->release(*target->socket);
    if (when_idle_ && idle()) when_idle_();
}

void PingEngine::on_transmitted(const Identity& id, KernelTime when) { core_.transmitted(id, time_.from_kernel(when)); }

void PingEngine::on_reply(const Reply& reply)
{
    const auto received = turns_.received(reply.received);
    core_.answered(reply.id, received.at, received.kernel_time, reply.ttl);
}

void PingEngine::on_error(const Identity& id, const std::optional<packet::Address>& about, std::string what)
{
    if (!core_.knows(id)) return;
    const auto& target = roster_.at(id.slot);
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
    roster_.for_each_slot([&](std::uint32_t slot, const Target& target) {
        if (target.socket == socket) core_.taint(slot, "replies were dropped in this agent's own socket buffer");
    });
}

EngineHealth PingEngine::health()
{
    return {.packets_sent = packets_sent_, .socket_drops = socket_drops_, .lateness_p99 = turns_.take_lateness_p99()};
}

Task<void> PingEngine::close() { co_await tasks_.close(); }

std::unique_ptr<PingEngine> make_ping_engine(const EngineContext& context)
{
    const TagKey key{context.random.u64(), context.random.u64()};
    auto engine = std::make_unique<PingEngine>(context, std::make_unique<LinuxPort>(key, context.random, context.devices));
    engine->run();
    return engine;
}

}  // namespace nw::probe::ping
