#include "probe/resolver.hpp"

#include <algorithm>

namespace nw::probe {
namespace {

// A record that says 0 is still good for one run; one that says a week is asked for again after an hour.
constexpr Nanos kTtlMin = Seconds(1);
constexpr Nanos kTtlMax = Seconds(3600);
constexpr Nanos kFailureHolds = Seconds(5);
constexpr std::size_t kEntriesMax = 20'000;

}  // namespace

struct Resolver::Entry {
    explicit Entry(Loop& loop) : finished(loop, std::chrono::steady_clock::time_point::max()) {}

    Answer answer{};
    Timer finished;
    bool running = false;
    unsigned waiting = 0;
};

FamilyWish family_wish(std::string_view text)
{
    if (text == "v4") return FamilyWish::V4;
    return text == "v6" ? FamilyWish::V6 : FamilyWish::Auto;
}

Resolver::Resolver(Loop& loop, Pool& pool, const Clock& clock) : loop_(loop), pool_(pool), clock_(clock) {}
Resolver::~Resolver() = default;

Task<Answer> Resolver::resolve(Question question)
{
    if (entries_.size() >= kEntriesMax)
        std::erase_if(entries_, [&](const auto& item) {
            return !item.second->running && item.second->waiting == 0 && item.second->answer.valid_until < clock_.instant();
        });
    auto& slot = entries_[question];
    if (!slot) slot = std::make_shared<Entry>(loop_);
    const auto held = slot;  // it may be forgotten meanwhile
    auto& entry = *held;
    if (entry.running) {
        ++entry.waiting;
        co_await entry.finished.async_wait(nothrow);
        --entry.waiting;
        co_return entry.answer;
    }
    if (clock_.instant() < entry.answer.valid_until) {
        auto answer = entry.answer;
        answer.cached = true;
        co_return answer;
    }
    entry.running = true;
    auto found = co_await run_on(pool_, [&clock = clock_, question] { return look_up(question, clock); });
    entry.running = false;
    const auto holds = found.addresses.empty() ? kFailureHolds : std::clamp(found.ttl, kTtlMin, kTtlMax);
    entry.answer = {.addresses = std::move(found.addresses),
                    .error = std::move(found.error),
                    .took = found.took,
                    .valid_until = clock_.instant() + holds};
    entry.finished.cancel();
    co_return entry.answer;
}

void Resolver::forget(const std::string& device)
{
    std::erase_if(entries_, [&](const auto& known) { return known.first.device == device; });
}

}  // namespace nw::probe
