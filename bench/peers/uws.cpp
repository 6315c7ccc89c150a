// A server of uWebSockets as a peer of the benchmarks, and what any command in
// UWS_SERVER has to do. It is not built with the router: bench/README.md tells
// how.
//
//   uws PORT     listens at 127.0.0.1; SIGTERM ends it
//
//   GET  /ws?u=N    a WebSocket of user N
//   POST /publish   sends the body to all WebSockets, as one text message each
//   POST /user/N    sends it to those of user N

#include <App.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

namespace {

struct connection {
  std::string user;
};

template <class App, class Response>
void publish(App& app, Response* response, std::string topic) {
  auto body = std::make_shared<std::string>();
  response->onAborted([] {});
  response->onData([&app, response, body, topic = std::move(topic)](
                     std::string_view part, bool last) {
    body->append(part);
    if (!last)
      return;
    app.publish(topic, *body, uWS::OpCode::TEXT);
    response->end("ok");
  });
}

} // namespace

int main(int, char** argv) {
  uWS::App app;
  uWS::App::WebSocketBehavior<connection> behavior;
  behavior.idleTimeout = 0;
  behavior.upgrade = [](auto* response, auto* request, auto* context) {
    response->template upgrade<connection>(
      {std::string{request->getQuery("u")}},
      request->getHeader("sec-websocket-key"),
      request->getHeader("sec-websocket-protocol"),
      request->getHeader("sec-websocket-extensions"), context);
  };
  behavior.open = [](auto* socket) {
    socket->subscribe("all");
    socket->subscribe("user " + socket->getUserData()->user);
  };
  app.ws<connection>("/ws", std::move(behavior));
  app.post("/publish",
           [&app](auto* response, auto*) { publish(app, response, "all"); });
  app.post("/user/:id", [&app](auto* response, auto* request) {
    publish(app, response, "user " + std::string{request->getParameter(0)});
  });
  app.listen("127.0.0.1", std::atoi(argv[1]), [](auto* listening) {
    if (!listening)
      std::exit(1);
  });
  app.run();
}
