import io.socket.client.IO;
import io.socket.client.Manager;
import io.socket.engineio.client.Transport;
import java.util.List;
import java.util.Map;

/** How a cookie is given to socket.io-client 1.x: to each request of each transport. */
final class Cookie {
  static void set(IO.Options options, String cookie) {
    // They know no headers yet.
  }

  static void set(Manager manager, String cookie) {
    manager.on(Manager.EVENT_TRANSPORT, made ->
        ((Transport) made[0]).on(Transport.EVENT_REQUEST_HEADERS, args -> {
          @SuppressWarnings("unchecked")
          Map<String, List<String>> headers = (Map<String, List<String>>) args[0];
          headers.put("Cookie", List.of(cookie));
        }));
  }
}
