import io.socket.client.Ack;
import io.socket.client.IO;
import io.socket.client.Manager;
import io.socket.client.Socket;
import io.socket.engineio.client.Transport;
import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.Iterator;
import java.util.Properties;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;

/**
 * Drives socket.io-client for support/program.mjs: JSON lines in and out. The
 * same for 1.x and 2.x; what they do differently is in their Cookie.java.
 */
public final class Client {
  private static final PrintStream out =
      new PrintStream(System.out, true, StandardCharsets.UTF_8);

  private static synchronized void say(String event, Object... more) {
    try {
      JSONObject line = new JSONObject().put("event", event);
      for (int i = 0; i < more.length; i += 2)
        line.put((String) more[i], more[i + 1]);
      out.println(line);
    } catch (JSONException error) {
      throw new IllegalStateException(error);
    }
  }

  private static Object encoded(Object value) throws JSONException {
    if (value instanceof byte[])
      return new JSONObject().put("$base64",
          Base64.getEncoder().encodeToString((byte[]) value));
    if (value instanceof JSONObject) {
      JSONObject from = (JSONObject) value;
      JSONObject made = new JSONObject();
      for (Iterator<?> keys = from.keys(); keys.hasNext();) {
        String key = (String) keys.next();
        made.put(key, encoded(from.get(key)));
      }
      return made;
    }
    if (value instanceof JSONArray) {
      JSONArray from = (JSONArray) value;
      JSONArray made = new JSONArray();
      for (int i = 0; i < from.length(); i++)
        made.put(encoded(from.get(i)));
      return made;
    }
    // An exception, where the transport failed.
    if (value instanceof Throwable)
      return value.toString();
    return value == null ? JSONObject.NULL : value;
  }

  private static JSONArray encoded(Object[] args) {
    try {
      JSONArray made = new JSONArray();
      for (Object each : args)
        made.put(encoded(each));
      return made;
    } catch (JSONException error) {
      throw new IllegalStateException(error);
    }
  }

  private static Object decoded(Object value) throws JSONException {
    if (value instanceof JSONObject) {
      JSONObject from = (JSONObject) value;
      if (from.has("$base64"))
        return Base64.getDecoder().decode(from.getString("$base64"));
      for (Iterator<?> keys = from.keys(); keys.hasNext();) {
        String key = (String) keys.next();
        from.put(key, decoded(from.get(key)));
      }
    } else if (value instanceof JSONArray) {
      JSONArray from = (JSONArray) value;
      for (int i = 0; i < from.length(); i++)
        from.put(i, decoded(from.get(i)));
    }
    return value;
  }

  private static String library() throws Exception {
    Properties properties = new Properties();
    try (InputStream file = Client.class.getResourceAsStream(
        "/META-INF/maven/io.socket/socket.io-client/pom.properties")) {
      properties.load(file);
    }
    return "socket.io-client-java " + properties.getProperty("version");
  }

  private static String[] transports(String way) {
    return way.equals("upgrade") ? new String[] {"polling", "websocket"}
        : new String[] {way};
  }

  private static void listen(Socket socket, String event) {
    socket.on(event, args -> {
      Ack ack = args.length > 0 && args[args.length - 1] instanceof Ack
          ? (Ack) args[args.length - 1] : null;
      Object[] values = ack == null ? args : Arrays.copyOf(args, args.length - 1);
      say("event", "name", event, "args", encoded(values));
      if (ack != null && event.equals("question")) {
        Object[] answer = new Object[values.length + 1];
        answer[0] = "answer";
        System.arraycopy(values, 0, answer, 1, values.length);
        ack.call(answer);
      }
    });
  }

  public static void main(String[] words) throws Exception {
    IO.Options options = new IO.Options();
    options.forceNew = true;
    options.reconnectionDelay = 200;
    options.reconnectionDelayMax = 1000;
    options.transports = transports(System.getenv("CLIENT_TRANSPORT"));
    String namespace = System.getenv("CLIENT_NAMESPACE");
    String cookie = System.getenv("CLIENT_COOKIE");
    Cookie.set(options, cookie);
    Socket socket = IO.socket(
        URI.create(System.getenv("CLIENT_URL") + namespace), options);
    Cookie.set(socket.io(), cookie);
    // The engine is out of reach; its newest transport is not.
    String[] transport = {""};
    socket.io().on(Manager.EVENT_TRANSPORT,
        args -> transport[0] = ((Transport) args[0]).name);

    JSONArray events = new JSONArray(System.getenv("CLIENT_EVENTS"));
    for (int i = 0; i < events.length(); i++)
      listen(socket, events.getString(i));
    socket.on("connect", args -> say("connected", "transport", transport[0]));
    // 1.x calls the server's refusal "error", 2.x "connect_error", which was
    // the transport's in 1.x.
    socket.on("error", args -> say("refused", "args", encoded(args)));
    socket.on("connect_error", args -> say("refused", "args", encoded(args)));
    socket.on("disconnect", args -> say("disconnected", "args", encoded(args)));
    say("started", "library", library());
    socket.connect();

    BufferedReader in = new BufferedReader(
        new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      JSONObject command = new JSONObject(line);
      if (command.getString("do").equals("close")) {
        socket.disconnect();
        continue;
      }
      String event = command.getString("name");
      JSONArray values = (JSONArray) decoded(command.getJSONArray("args"));
      Object[] args = new Object[values.length()];
      for (int i = 0; i < args.length; i++)
        args[i] = values.get(i);
      socket.emit(event, args,
          (Ack) answer -> say("ack", "name", event, "args", encoded(answer)));
    }
    // The threads of okhttp would live on for a minute.
    System.exit(0);
  }
}
