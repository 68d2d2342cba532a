#include "probe/path/engine.hpp"

#include "probe/path/linux_port.hpp"

#include <algorithm>
#include <utility>

namespace nw::probe::path {
namespace {

constexpr std::size_t kTakeMax = 256;
// Path MTUs change with routes, and that is noticed; looking for a black hole takes some 50 large packets.
constexpr Nanos kMtuEvery = std::chrono::minutes(10);

std::uint16_t port_of(const PathSettings& settings)
{
    if (settings.protocol == Protocol::Icmp) return 0;
    if (settings.port != 0) return settings.port;
    return settings.protocol == Protocol::Udp ? kUdpPort : kTcpPort;
}

}  // namespace

PathEngine::PathEngine(const EngineContext& context, std::unique_ptr<Port> port, PathObserver& observer)
    : context_(context), port_(std::move(port)), observer_(observer), time_(context_.clock),
      turns_(context_.loop, time_, context_.packets_per_second_max), core_(*this, time_.now()),
      tasks_(context_.loop.get_executor(), context_.log), roster_(context_, tasks_, core_, *this)
{}

PathEngine::~PathEngine() = default;

Moment PathEngine::frontier(ProbeId probe) const
{
    const auto slot = roster_.slot_of(probe);
    return slot ? core_.frontier(*slot) : Moment::max();
}

Status PathEngine::start(ProbeId probe, const PathSettings& settings, const StartOptions& options)
{
    if (const auto* running = roster_.running(probe); running && running->settings == settings) return {};
    NW_TRY(auto where, TargetAddress::of({settings.target, settings.family, settings.device}, context_.policy));
    roster_.start(
        std::make_unique<Target>(Target{.id = probe, .settings = settings, .options = options, .where = std::move(where)}));
    return {};
}

void PathEngine::launch(std::unique_ptr<Target> target)
{
    const auto& settings = target->settings;
    const auto first = target->options.first;
    const auto start = time_.plan_start(target->id, first, settings.interval, settings.spacing, settings.cycles);
    const auto slot = core_.add({.interval = settings.interval,
                                 .spacing = settings.spacing,
                                 .first_spacing = start.first_spacing,
                                 .timeout = settings.timeout,
                                 .cycles = settings.cycles,
                                 .runs_max = target->options.runs_max,
                                 .hops_max = settings.hops_max,
                                 .flows = settings.flows,
                                 .explore = settings.explore,
                                 .explore_first = first == FirstRun::OffBeat,
                                 .follow_on = first == FirstRun::OffBeat,
                                 .mtu_every = settings.mtu ? kMtuEvery : Nanos(0),
                                 .mtu_awaited = first == FirstRun::OffBeat},
                                start.first, start.next, time_.now());
    target->slot = slot;
    auto& placed = *target;
    roster_.place(slot, std::move(target));
    observer_.begun(placed.ref(), placed.settings);
    relocated(placed);
    turns_.hurry();  // it may be due before what the engine sleeps for
}

void PathEngine::stop(ProbeId probe) { roster_.stop(probe); }

void PathEngine::relocated(Target& target)
{
    if (const auto& problem = target.where.problem())
        return observer_.target_changed(target.ref(), std::nullopt, problem->why);
    if (!target.where.known()) return;  // its device leads nowhere: its name was not asked for
    const auto& address = target.where.address();
    observer_.target_changed(target.ref(), address.address, {});
    if (target.socket && target.address == address) return;
    const auto socket = port_->acquire({.family = address.address.family, .device = target.settings.device});
    if (target.socket) port_->release(*target.socket);
    target.address = address;
    target.socket = socket;
}

void PathEngine::run()
{
    tasks_.spawn("path", turns_.drive([this] { turn(); }, [this] { return next_turn(); }));
}

Moment PathEngine::next_turn() const
{
    return turns_.next(core_.next_wake(), core_.waiting() > 0, core_.is_discovering() ? kReadEveryDiscovering : kReadEvery);
}

void PathEngine::turn()
{
    if (time_.follow_wall_clock(context_.log)) roster_.relock(time_);
    const auto when = turns_.begin();
    if (core_.waiting() > 0) port_->receive(*this);
    core_.advance(when);
    send_due(when);
}

void PathEngine::send_due(Moment when)
{
    while (core_.has_due() && turns_.allowance() >= 1) {
        due_.clear();
        outgoing_.clear();
        core_.take_due(when, std::min(kTakeMax, turns_.allowance()), due_);
        if (due_.empty()) return;
        for (const auto& due : due_) {
            if (!ready_to_send(due, when)) continue;
            const auto& target = roster_.at(due.id.slot);
            outgoing_.push_back(packet_of(target, due));
        }
        turns_.spend(outgoing_.size());
        packets_sent_ += outgoing_.size();
        if (!outgoing_.empty()) port_->send(outgoing_, when, *this);
        if (!core_.has_due()) return;
        port_->receive(*this);  // a long queue must not fill the sockets' buffers
        when = time_.now();
    }
}

Outgoing PathEngine::packet_of(const Target& target, const Due& due)
{
    const auto& settings = target.settings;
    Outgoing packet{.id = due.id,
                    .socket = *target.socket,
                    .source = target.source,
                    .to = {target.address.address, target.address.scope},
                    .protocol = settings.protocol,
                    .port = port_of(settings),
                    .flow = due.flow,
                    .size = settings.size,
                    .ttl = due.ttl,
                    .dscp = settings.dscp,
                    .dont_fragment = settings.dont_fragment};
    if (due.size == 0) return packet;
    packet.size = due.size;
    packet.dont_fragment = true;
    if (settings.protocol != Protocol::Tcp) return packet;
    // SYNs have no size to choose.
    packet.protocol = Protocol::Icmp;
    packet.port = 0;
    return packet;
}

bool PathEngine::ready_to_send(const Due& due, Moment when)
{
    const auto& id = due.id;
    if (!core_.is_waiting(id)) return false;  // its run has just failed
    auto& target = roster_.at(id.slot);
    if (!due.first) {
        // A device that goes away in the middle of a run is noticed with the next cycle.
        if (std::exchange(target.checked, when) != when) target.obstacle = port_->check(*target.socket, when);
        if (!target.obstacle) return true;
        core_.send_failed(id, target.obstacle->outcome, target.obstacle->why);
        return false;
    }
    if (const auto gone = roster_.obstacle(target)) {
        core_.fail_run(id, gone->outcome, gone->why);
        return false;
    }
    roster_.refresh(id.slot);
    if (const auto& problem = target.where.problem()) {
        core_.fail_run(id, problem->outcome, problem->why);
        return false;
    }
    if (!target.socket) {  // its device came back a moment ago, and it is about to begin anew
        core_.fail_run(id, Outcome::NotMeasured, "the name of the target is being looked up");
        return false;
    }
    const auto ready =
        port_->prepare(*target.socket, {target.address.address, target.address.scope}, target.settings.protocol, when);
    if (!ready) {
        core_.fail_run(id, ready.error().outcome, ready.error().why);
        return false;
    }
    target.source = ready->source;
    target.checked = when;
    target.obstacle.reset();
    core_.set_link_mtu(id.slot, ready->link_mtu);
    return true;
}

void PathEngine::probe_settled(std::uint32_t slot, const Settled& probe)
{
    observer_.probe_settled(roster_.at(slot).ref(), probe);
}

void PathEngine::explored(std::uint32_t slot, const Exploration& found)
{
    observer_.explored(roster_.at(slot).ref(), found);
}

void PathEngine::mtu_searched(std::uint32_t slot, const MtuFound& found)
{
    observer_.mtu_searched(roster_.at(slot).ref(), found);
}

void PathEngine::run_begun(std::uint32_t slot, const RunStart& run) { observer_.run_begun(roster_.at(slot).ref(), run); }

void PathEngine::run_finished(std::uint32_t slot, const RunEnd& run)
{
    auto& target = roster_.at(slot);
    observer_.run_finished(target.ref(), run, target.where.take_resolve_time());
}

void PathEngine::slot_free(std::uint32_t slot)
{
    const auto target = roster_.vacate(slot);
    if (target->socket) port_->release(*target->socket);
    observer_.ended(target->ref());
    if (idle()) observer_.idle();
}

void PathEngine::on_transmitted(const Identity& id, KernelTime when) { core_.transmitted(id, time_.from_kernel(when)); }

void PathEngine::on_reply(const Reply& reply)
{
    const auto received = turns_.received(reply.received);
    core_.answered(reply, received.at, received.kernel_time);
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
    return {.packets_sent = packets_sent_, .socket_drops = socket_drops_, .lateness_p99 = turns_.take_lateness_p99()};
}

Task<void> PathEngine::close() { co_await tasks_.close(); }

std::unique_ptr<PathEngine> make_path_engine(const EngineContext& context, PathObserver& observer)
{
    auto engine =
        std::make_unique<PathEngine>(context, std::make_unique<LinuxPort>(context.random, context.devices), observer);
    engine->run();
    return engine;
}

}  // namespace nw::probe::path
