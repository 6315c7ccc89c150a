import io.socket.client.IO;
import io.socket.client.Manager;
import java.util.List;
import java.util.Map;

/** How a cookie is given to socket.io-client 2.x: as an extra header. */
final class Cookie {
  static void set(IO.Options options, String cookie) {
    options.extraHeaders = Map.of("Cookie", List.of(cookie));
  }

  static void set(Manager manager, String cookie) {
    // The options have it.
  }
}
