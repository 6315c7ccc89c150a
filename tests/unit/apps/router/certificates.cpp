#include "apps/router/certificates.hpp"

#include "tests/support/check.hpp"

using namespace signalbox;

namespace {

constexpr int64_t day = 24 * 60 * 60;

std::string warning(int64_t now) {
  return app::expiry_warning(
    {"tls.certificate", "/x.pem", "www.example", 100 * day, 200 * day}, now);
}

} // namespace

TEST(a certificate is warned of 14 days ahead) {
  CHECK_EQUAL(warning(100 * day), "");
  CHECK_EQUAL(warning(186 * day - 1), "");
  CHECK_EQUAL(warning(186 * day), "/x.pem: the certificate of www.example ends "
                                  "on 1970-07-20, in 14 days; renew it");
  CHECK(warning(198 * day + 5).find("in 1 day;") != std::string::npos);
  CHECK(warning(200 * day - 5).find("within a day;") != std::string::npos);
}

TEST(one that has ended or not begun is told as that) {
  CHECK(warning(200 * day).find("ended on 1970-07-20; renew it")
        != std::string::npos);
  CHECK(warning(100 * day - 1)
          .find("does not hold before 1970-04-11; look at "
                "the clock")
        != std::string::npos);
}
