#include "enrich/vendors.hpp"

#include "base/testing.hpp"

#include <fstream>

using namespace nw;
using namespace nw::enrich;

namespace {

constexpr std::string_view kMac{"\x70\xb3\xd5\x7f\x21\x99", 6};

}  // namespace

TEST_CASE("the longest assignment that fits names the vendor")
{
    const testing::ScratchDir folder;
    std::ofstream(folder / "oui.csv") << "Registry,Assignment,Organization Name,Organization Address\r\n"
                                         "MA-L,70B3D5,IEEE Registration Authority,445 Hoes Lane\r\n"
                                         "MA-L,001122,\"Cimsys, \"\"Inc\"\"\",Seoul\r\n"
                                         "MA-L,001133,Private,\r\n";
    std::ofstream(folder / "mam.csv") << "MA-M,70B3D57,Medium,x\n";
    std::ofstream(folder / "oui36.csv") << "MA-S,70B3D57F2,Small,x\nMA-S,zz,broken\n";
    Vendors vendors(folder.path());
    CHECK(vendors.vendor(kMac) == "Small");
    CHECK(vendors.vendor(std::string_view("\x70\xb3\xd5\x7f\x31\x99", 6)) == "Medium");
    CHECK(vendors.vendor(std::string_view("\x70\xb3\xd5\x8f\x31\x99", 6)) == "IEEE Registration Authority");
    CHECK(vendors.vendor(std::string_view("\x00\x11\x22\x00\x00\x00", 6)) == "Cimsys, \"Inc\"");
    CHECK_FALSE(vendors.vendor(std::string_view("\x00\x11\x33\x00\x00\x00", 6)));
    CHECK_FALSE(vendors.vendor(std::string_view("\x00\x11\x44\x00\x00\x00", 6)));
}

TEST_CASE("an address that software made up has no vendor, even where its bits look like one's")
{
    const testing::ScratchDir folder;
    std::ofstream(folder / "oui.csv") << "MA-L,021122,Somebody,x\nMA-L,011122,Somebody,x\n";
    Vendors vendors(folder.path());
    CHECK(is_local(std::string_view("\x02\x11\x22\x00\x00\x00", 6)));
    CHECK(is_local(std::string_view("\x01\x11\x22\x00\x00\x00", 6)));
    CHECK_FALSE(is_local(kMac));
    CHECK_FALSE(is_local(""));
    CHECK_FALSE(vendors.vendor(std::string_view("\x02\x11\x22\x00\x00\x00", 6)));
    CHECK_FALSE(vendors.vendor(std::string_view("\x01\x11\x22\x00\x00\x00", 6)));
    CHECK_FALSE(vendors.vendor("abc"));
}

TEST_CASE("without the data every vendor is unknown")
{
    Vendors vendors("/nonexistent/ieee-data");
    CHECK_FALSE(vendors.vendor(kMac));
}

TEST_CASE("the data that Debian installs names a vendor that everybody knows")
{
    if (!std::filesystem::exists("/usr/share/ieee-data/oui.csv")) return testing::skip("ieee-data is not installed");
    Vendors vendors("/usr/share/ieee-data");
    CHECK(vendors.vendor(std::string_view("\x00\x00\x0c\x01\x02\x03", 6)) == "Cisco Systems, Inc");
    CHECK_FALSE(vendors.vendor(std::string_view("\x06\x00\x0c\x01\x02\x03", 6)));
}
