#include "agent/network_reporter.hpp"

#include "base/text.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace nw::agent {
namespace {

// A report that breaks a limit of the protocol would end every session that it is sent in.
std::string clean(std::string text)
{
    constexpr std::size_t bytes_max = 200;
    if (text.size() > bytes_max) text.resize(bytes_max);
    if (!is_clean_text(text)) std::erase_if(text, [](char c) { return c < ' ' || c > '~'; });
    return text;
}

constexpr int kRestAfterReading = 19;  // times as long as it took

// Nor does it matter by itself in which words a question was not answered.
void forget_seen(HostNetwork& network)
{
    for (auto& interface : network.interfaces)
        for (auto* address : {&interface.public_v4, &interface.public_v6}) *address = {.address = address->address};
}

std::int64_t last_seen(const HostNetwork& network)
{
    std::int64_t seen = 0;
    for (const auto& interface : network.interfaces)
        seen = std::max({seen, interface.public_v4.seen_us, interface.public_v6.seen_us});
    return seen;
}

}  // namespace

bool same_network(HostNetwork a, HostNetwork b)
{
    forget_seen(a);
    forget_seen(b);
    return a == b;
}

NetworkReporter::NetworkReporter(Loop& loop, Pool& reading, Pool& disk, spool::Spool& spool, const Clock& clock,
                                 NetworkSource& source, Log log, Millis gather)
    : loop_(loop), reading_(reading), disk_(disk), spool_(spool), clock_(clock), source_(source), log_(std::move(log)),
      gather_(gather), waiting_(loop), first_(loop)
{}

void NetworkReporter::restore()
{
    const auto saved = spool_.reports();
    if (!saved) return log_.warn("earlier reports of the network cannot be read: {}", saved.error().what);
    for (const auto& bytes : *saved) {
        auto report = wire::decode_interfaces(bytes);
        if (!report || report->number <= number_) {
            log_.warn("an earlier report of the network is damaged and left out");
            continue;
        }
        number_ = report->number;
        reports_.push_back(*std::move(report));
    }
    while (reports_.size() > kReportsKept) give_up_oldest();
}

void NetworkReporter::start(TaskGroup& tasks, std::function<void()> changed)
{
    changed_ = std::move(changed);
    tasks.spawn("network watch", watch());
    tasks.spawn("network report", report());
}

Task<void> NetworkReporter::watch()
{
    for (;;) {
        const auto events = co_await source_.next();
        if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none) co_return;
        if (!events) {
            log_.error("changes of this host's network go unnoticed until a restart: {}", events.error().what);
            co_return;
        }
        note(*events);
    }
}

void NetworkReporter::note(const NetworkEvents& events)
{
    const auto now = clock_.instant();
    for (const auto& link : events.links) failovers_.link_changed(link.index, link.usable, now);
    for (const auto& route : events.defaults) failovers_.default_route_changed(route.v6, route.index, route.removed, now);
    wake();
}

void NetworkReporter::wake()
{
    if (std::exchange(dirty_, true)) return;
    waiting_.cancel();
}

Task<void> NetworkReporter::report()
{
    for (bool first = true;; first = false) {
        if (!dirty_) {
            waiting_.expires_at(Timer::time_point::max());
            co_await waiting_.async_wait(nothrow);
        }
        if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none) co_return;
        if (!dirty_) continue;
        Timer gather(loop_, first ? Millis(0) : gather_);
        co_await gather.async_wait(nothrow);
        dirty_ = false;
        const auto began = clock_.instant();
        co_await read_and_report();
        const auto rest = (clock_.instant() - began) * kRestAfterReading - gather_;
        if (rest <= Nanos(0)) continue;
        Timer resting(loop_, rest);
        co_await resting.async_wait(nothrow);
    }
}

Task<void> NetworkReporter::read_and_report()
{
    auto network = co_await run_on(reading_, [this] { return source_.read(); });
    if (network) offer(*std::move(network));
    else log_.error("this host's network cannot be read: {}", network.error().what);
    tried_ = true;
    first_.cancel();
}

Task<void> NetworkReporter::first_read(Millis patience)
{
    if (tried_) co_return;
    first_.expires_after(patience);
    co_await first_.async_wait(nothrow);
}

void NetworkReporter::set_public(const std::string& interface, bool v6, PublicAddress address)
{
    address.problem = clean(std::move(address.problem));
    public_[{interface, v6}] = std::move(address);
    wake();
}

void NetworkReporter::offer(HostNetwork network)
{
    network.hostname = clean(std::move(network.hostname));
    std::erase_if(public_, [&](const auto& known) { return !network.find(known.first.first); });
    for (auto& interface : network.interfaces) {
        if (const auto v4 = public_.find({interface.name, false}); v4 != public_.end()) interface.public_v4 = v4->second;
        if (const auto v6 = public_.find({interface.name, true}); v6 != public_.end()) interface.public_v6 = v6->second;
    }
    const auto now = clock_.wall();
    std::vector<Failover> moves;
    for (const bool v6 : {false, true})
        if (auto move = failovers_.settled(network, v6, clock_.instant(), now)) {
            log_.info("the default route moved from {} to {}", move->from, move->to);
            moves.push_back(*std::move(move));
        }
    network_ = network;
    const auto* last = reports_.empty() ? nullptr : &reports_.back();
    const auto seen_again = last ? last_seen(network) - last_seen(last->network) : 0;
    if (last && moves.empty() && same_network(last->network, network)
        && Micros(seen_again) < std::chrono::duration_cast<Micros>(kSeenAgainEvery))
        return;
    reports_.push_back(
        {.number = ++number_, .at_us = to_us(now), .network = std::move(network), .failovers = std::move(moves)});
    save(reports_.back());
    if (reports_.size() > kReportsKept) give_up_oldest();
    changed_();
}

void NetworkReporter::save(const wire::Interfaces& report)
{
    asio::post(disk_, [&spool = spool_, log = log_, number = report.number, bytes = wire::encode_interfaces(report)] {
        if (const auto saved = spool.keep_report(number, bytes); !saved)
            log.warn("a report of the network would not outlive this process: {}", saved.error().what);
    });
}

void NetworkReporter::drop_saved(std::uint64_t last_number)
{
    asio::post(disk_, [&spool = spool_, log = log_, last_number] {
        if (const auto dropped = spool.drop_reports(last_number); !dropped)
            log.warn("reports of the network that the controller has stay in the spool: {}", dropped.error().what);
    });
}

void NetworkReporter::give_up_oldest()
{
    const auto dropped = std::move(reports_.front());
    reports_.pop_front();
    if (dropped.number <= kept_) return;
    if (gave_up_++ == 0) log_.warn("reports of the network are given up: too many wait for the controller");
    auto& into = reports_.front().failovers;
    into.insert(into.begin(), dropped.failovers.begin(), dropped.failovers.end());
    if (into.size() > wire::kFailoversMax) into.erase(into.begin(), into.end() - std::ptrdiff_t(wire::kFailoversMax));
    drop_saved(dropped.number);
    if (!dropped.failovers.empty()) save(reports_.front());
}

const wire::Interfaces* NetworkReporter::after(std::uint64_t number) const
{
    const auto found = std::ranges::find_if(reports_, [&](const auto& report) { return report.number > number; });
    return found == reports_.end() ? nullptr : &*found;
}

void NetworkReporter::kept(std::uint64_t number)
{
    if (number > number_) renumber(number);
    kept_ = std::max(kept_, number);
    const auto waiting = reports_.size();
    while (reports_.size() > 1 && reports_.front().number <= number) reports_.pop_front();
    if (reports_.size() < waiting) drop_saved(reports_.front().number - 1);
}

void NetworkReporter::renumber(std::uint64_t after)
{
    drop_saved(number_);
    number_ = after;
    for (auto& report : reports_) {
        report.number = ++number_;
        save(report);
    }
}

}  // namespace nw::agent
