// Drives the Go client of Socket.IO for support/program.mjs: JSON lines in and
// out.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/zishang520/socket.io/clients/engine/v3"
	"github.com/zishang520/socket.io/clients/socket/v3"
	"github.com/zishang520/socket.io/v3/pkg/types"
)

const module = "github.com/zishang520/socket.io/clients/socket/v3"

var output sync.Mutex

func say(event string, more map[string]any) {
	line := map[string]any{"event": event}
	for key, value := range more {
		line[key] = value
	}
	text, err := json.Marshal(line)
	if err != nil {
		panic(err)
	}
	output.Lock()
	defer output.Unlock()
	fmt.Println(string(text))
}

func encoded(value any) any {
	switch it := value.(type) {
	case []byte:
		return map[string]any{"$base64": base64.StdEncoding.EncodeToString(it)}
	case io.Reader:
		bytes, err := io.ReadAll(it)
		if err != nil {
			panic(err)
		}
		return encoded(bytes)
	case map[string]any:
		made := map[string]any{}
		for key, each := range it {
			made[key] = encoded(each)
		}
		return made
	case []any:
		made := []any{}
		for _, each := range it {
			made = append(made, encoded(each))
		}
		return made
	case error:
		return it.Error()
	}
	return value
}

func decoded(value any) any {
	switch it := value.(type) {
	case map[string]any:
		if text, ok := it["$base64"].(string); ok {
			bytes, err := base64.StdEncoding.DecodeString(text)
			if err != nil {
				panic(err)
			}
			return bytes
		}
		for key, each := range it {
			it[key] = decoded(each)
		}
	case []any:
		for i, each := range it {
			it[i] = decoded(each)
		}
	}
	return value
}

func library() string {
	info, _ := debug.ReadBuildInfo()
	for _, each := range info.Deps {
		if each.Path == module {
			return module + " " + each.Version
		}
	}
	return module
}

// Opens over polling and upgrades to WebSocket. The client's set of transports
// has no order: with both in it, chance decides which comes first.
type pollingFirst struct{}

func (*pollingFirst) Name() string { return socket.WebSocket.Name() }

func (*pollingFirst) New(made engine.Socket, options engine.SocketOptionsInterface) engine.Transport {
	if made.Id() != "" {
		return socket.WebSocket.New(made, options)
	}
	options.Query().Set("transport", socket.Polling.Name())
	return socket.Polling.New(made, options)
}

func open(way, namespace string) *socket.Socket {
	options := socket.DefaultOptions()
	options.SetForceNew(true)
	options.SetReconnectionDelay(200)
	options.SetReconnectionDelayMax(1000)
	// It overlooks an error or an answer that comes at once, before it listens,
	// and would try again after 20 seconds.
	options.SetTimeout(3 * time.Second)
	options.SetExtraHeaders(http.Header{"Cookie": {os.Getenv("CLIENT_COOKIE")}})
	switch way {
	case "websocket":
		options.SetTransports(types.NewSet(socket.WebSocket))
	case "polling":
		options.SetTransports(types.NewSet(socket.Polling))
	default:
		options.SetTransports(types.NewSet[engine.TransportCtor](&pollingFirst{}))
	}
	options.SetAutoConnect(false)
	manager := socket.NewManager(os.Getenv("CLIENT_URL"), options)
	return manager.Socket(namespace, options)
}

func listen(made *socket.Socket, event string) {
	_ = made.On(types.EventName(event), func(args ...any) {
		var ack func([]any, error)
		if len(args) > 0 {
			if last, ok := args[len(args)-1].(func([]any, error)); ok {
				ack = last
				args = args[:len(args)-1]
			}
		}
		say("event", map[string]any{"name": event, "args": encoded(args)})
		if ack != nil && event == "question" {
			ack(append([]any{"answer"}, args...), nil)
		}
	})
}

func main() {
	var events []string
	if err := json.Unmarshal([]byte(os.Getenv("CLIENT_EVENTS")), &events); err != nil {
		panic(err)
	}
	made := open(os.Getenv("CLIENT_TRANSPORT"), os.Getenv("CLIENT_NAMESPACE"))
	for _, event := range events {
		listen(made, event)
	}
	_ = made.On("connect", func(...any) {
		say("connected", map[string]any{"transport": made.Io().Engine().Transport().Name()})
	})
	_ = made.On("connect_error", func(args ...any) {
		say("refused", map[string]any{"args": encoded(args)})
	})
	_ = made.On("disconnect", func(args ...any) {
		say("disconnected", map[string]any{"args": encoded(args)})
	})
	say("started", map[string]any{"library": library()})
	made.Connect()

	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		var command struct {
			Do   string
			Name string
			Args []any
		}
		if err := json.NewDecoder(strings.NewReader(line)).Decode(&command); err != nil {
			panic(err)
		}
		if command.Do == "close" {
			made.Disconnect()
			continue
		}
		args := append(decoded(command.Args).([]any), func(answer []any, err error) {
			say("ack", map[string]any{"name": command.Name, "args": encoded(answer)})
		})
		if err := made.Emit(command.Name, args...); err != nil {
			panic(err)
		}
	}
}
