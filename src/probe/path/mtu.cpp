#include "probe/path/mtu.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <array>

namespace nw::probe::path {
namespace {

// Large and small: rule 2.
constexpr std::array<bool, 10> kLarge{true, false, false, true, true, false, false, true, true, false};
constexpr std::size_t kControlsMin = 3;
// Less than what every link takes (RFC 791: 68 bytes) is no size to look for.
constexpr std::uint16_t kSizeLeast = 68;

}  // namespace

MtuSearch::MtuSearch(MtuSettings settings)
    : settings_(std::move(settings)), found_{.size_max = settings_.size_max}, low_(std::max(settings_.size_min, kSizeLeast)),
      high_(settings_.size_max), ttl_(settings_.end), size_(settings_.size_max)
{
    NW_ASSERT(settings_.end > 0);
    done_ = high_ <= low_;
}

bool MtuSearch::is_large() const { return kLarge[step_]; }

std::optional<MtuSearch::Probe> MtuSearch::next()
{
    if (done_ || on_its_way_) return std::nullopt;
    on_its_way_ = true;
    return Probe{ttl_, is_large() ? size_ : settings_.size_min};
}

void MtuSearch::answered(const Reply& reply)
{
    NW_ASSERT(on_its_way_);
    on_its_way_ = false;
    if (!is_large()) {
        ++controls_;
        if (++step_ == kLarge.size()) conclude(controls_ >= kControlsMin ? Verdict::Vanished : Verdict::Unknown, 0);
        return;
    }
    if (reply.answer != Answer::TooBig) return conclude(Verdict::Passed, 0);
    const auto told = std::uint16_t(std::min<std::uint32_t>(reply.mtu, 0xffff));
    const auto known = std::ranges::find(found_.narrow, reply.responder, &NarrowLink::before);
    if (known == found_.narrow.end()) found_.narrow.push_back({reply.responder, told});
    else known->mtu = told;
    conclude(Verdict::Narrow, told);
}

void MtuSearch::unanswered()
{
    NW_ASSERT(on_its_way_);
    on_its_way_ = false;
    if (++step_ == kLarge.size()) conclude(controls_ >= kControlsMin ? Verdict::Vanished : Verdict::Unknown, 0);
}

void MtuSearch::refused_here()
{
    NW_ASSERT(on_its_way_);
    on_its_way_ = false;
    conclude(is_large() ? Verdict::Narrow : Verdict::Unknown, 0);
}

void MtuSearch::conclude(Verdict verdict, std::uint16_t told)
{
    step_ = controls_ = 0;
    if (placing_) conclude_place(verdict);
    else conclude_size(verdict, told);
}

void MtuSearch::conclude_size(Verdict verdict, std::uint16_t told)
{
    if (verdict == Verdict::Unknown) {
        done_ = true;
        return;
    }
    if (verdict == Verdict::Passed) {
        low_ = size_;
        if (size_ == told_) high_ = size_;  // the router knows what its link takes
    } else {
        high_ = std::uint16_t(size_ - 1);
        vanishes_ = verdict == Verdict::Vanished;
        told_ = told;
    }
    if (low_ < high_) {
        const bool believable = told_ > low_ && told_ <= high_;
        return try_size(believable ? told_ : std::uint16_t((low_ + high_ + 1) / 2));
    }
    found_.mtu = low_;
    for (auto& link : found_.narrow)
        if (link.mtu == 0) link.mtu = low_;
    if (!vanishes_ || low_ == settings_.size_max) {
        done_ = true;
        return;
    }
    placing_ = true;
    failing_ = settings_.answering.size();
    try_size(std::uint16_t(low_ + 1));
    place_next();
}

void MtuSearch::try_size(std::uint16_t size) { size_ = size; }

// Halves the hops between those that large packets reach and those that they do not.
void MtuSearch::place_next()
{
    if (passing_ == failing_) {
        found_.black_hole_after = passing_ == 0 ? std::uint8_t{0} : settings_.answering[passing_ - 1];
        done_ = true;
        return;
    }
    ttl_ = settings_.answering[(passing_ + failing_) / 2];
}

void MtuSearch::conclude_place(Verdict verdict)
{
    const auto middle = (passing_ + failing_) / 2;
    if (verdict == Verdict::Passed) {
        passing_ = middle + 1;
    } else if (verdict == Verdict::Unknown) {  // it answers too little to be of use
        settings_.answering.erase(settings_.answering.begin() + std::ptrdiff_t(middle));
        --failing_;
    } else {
        failing_ = middle;
    }
    place_next();
}

}  // namespace nw::probe::path
