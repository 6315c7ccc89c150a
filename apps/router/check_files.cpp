#include "apps/router/check_files.hpp"

#include "apps/router/certificates.hpp"
#include "apps/router/net_options.hpp"
#include "transports/net/client_files.hpp"
#include "transports/net/tls.hpp"

#include <ctime>

namespace signalbox::app {

namespace {

/// Adds a fault of TLS files ("key: ...") as an error of its setting in a
/// section ("tls.").
void add(loaded_settings& x, const std::string& section,
         const std::string& error) {
  if (error.empty())
    return;
  auto part = error.substr(0, error.find(':'));
  x.errors.push_back(source_of(x, section + part) + ": " + section + error);
}

} // namespace

void check_files(loaded_settings& x) {
  const auto& values = x.values;
  std::string error;
  if (!values.tls.certificate.empty())
    make_tls(values, error);
  else
    error =
      net::check_rules({values.tls.ciphers, values.tls.min_version == "1.3"});
  add(x, "tls.", error);
  error.clear();
  const auto& cluster = values.cluster;
  if (!cluster.name.empty() && !cluster.certificate.empty())
    net::tls_context::peer(cluster.certificate, cluster.key, cluster.ca, error);
  add(x, "cluster.", error);
  error.clear();
  if (!values.site.ca_file.empty())
    net::tls_context::client(values.site.ca_file, error);
  add(x, "site.", error);
  error.clear();
  net::client_files scripts{values.engine.client_files, error};
  if (!error.empty())
    x.errors.push_back(source_of(x, "engine.client-files")
                       + ": engine.client-files: " + error
                       + "; install the npm package socket.io-client and name "
                         "its dist folder, or leave the setting empty");
  for (const auto& each : used_certificates(values))
    if (auto text = expiry_warning(each, std::time(nullptr)); !text.empty())
      x.warnings.push_back(source_of(x, each.setting) + ": " + each.setting
                           + ": " + text);
}

} // namespace signalbox::app
