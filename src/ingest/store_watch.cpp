#include "ingest/store_watch.hpp"

namespace nw::ingest {
namespace {

constexpr Seconds kTrialEvery{1};

}  // namespace

void StoreWatch::refused(const std::string& why)
{
    if (!trouble_) {
        trouble_ = StoreTrouble{.since = clock_.wall()};
        last_trial_ = clock_.instant();
        log_.error("the store takes no samples: {}; agents keep theirs until it does", why);
    }
    trouble_->why = why;
}

void StoreWatch::took()
{
    if (!trouble_) return;
    const auto lasted = std::chrono::duration_cast<Seconds>(clock_.wall() - trouble_->since);
    log_.warn("the store takes samples again, after {} s ({})", lasted.count(), trouble_->why);
    trouble_.reset();
}

bool StoreWatch::admits()
{
    if (!trouble_) return true;
    const auto now = clock_.instant();
    if (now - last_trial_ < kTrialEvery) return false;
    last_trial_ = now;
    return true;
}

}  // namespace nw::ingest
