#include "probe/path/host_names.hpp"

namespace nw::probe::path {
namespace {

const std::string kNone;

}  // namespace

HostNames::HostNames(Loop& loop, Pool& pool, const Clock& clock, Lookup lookup)
    : pool_(pool), clock_(clock), lookup_(std::move(lookup)), tasks_(loop.get_executor(), Log())
{}

const std::string& HostNames::name_of(const packet::Address& address, const std::string& device)
{
    Key key(device, address);
    auto found = entries_.find(key);
    if (found == entries_.end()) {
        if (entries_.size() >= kHostNamesMax) return kNone;  // more hops than anybody reads
        found = entries_.emplace(key, Entry{}).first;
    } else if (found->second.pending || !found->second.name.empty()
               || clock_.instant() - found->second.asked < kRetryAfter) {
        return found->second.name;
    }
    found->second.pending = true;
    waiting_.push_back(std::move(key));
    start_next();
    return found->second.name;
}

void HostNames::start_next()
{
    while (running_ < kLookupsMax && !waiting_.empty()) {
        ++running_;
        auto key = std::move(waiting_.front());
        waiting_.pop_front();
        tasks_.spawn("host name", look_up(std::move(key)));
    }
}

Task<void> HostNames::look_up(Key key)
{
    auto name = co_await run_on(pool_, [this, &key] { return lookup_(key.second, key.first); });
    auto& entry = entries_.at(key);
    entry.name = std::move(name);
    entry.asked = clock_.instant();
    entry.pending = false;
    --running_;
    start_next();
}

}  // namespace nw::probe::path
