<?php
// php publish.php FOLDER VERSION HOST PORT NAMESPACE TYPE JSON
//
// A site's component on top of a real elephant.io, as the article of 2013 has
// it: init, setNamespace, sendMsg, close. FOLDER is an unpacked copy of the
// library; VERSION is the engine of 3 and later: 0 to 4.

error_reporting(E_ALL & ~E_DEPRECATED & ~E_NOTICE & ~E_WARNING);

[, $folder, $version, $host, $port, $namespace, $type, $json] = $argv;

// All that the library needs of psr/log.
eval('namespace Psr\Log;
  interface LoggerInterface {}
  interface LoggerAwareInterface {}
  trait LoggerAwareTrait {
    protected $logger;
    public function setLogger($logger) { $this->logger = $logger; }
  }
  class NullLogger implements LoggerInterface { public function __call($name, $args) {} }');

if (is_dir("$folder/src")) {
    spl_autoload_register(function ($class) use ($folder) {
        $path = str_replace(['ElephantIO\\', '\\'], ['', '/'], $class);
        if (is_file("$folder/src/$path.php")) {
            require "$folder/src/$path.php";
        }
    });
} else {
    set_include_path("$folder/lib");
    foreach (['Payload', 'Frame', 'Client'] as $name) {
        if (is_file("$folder/lib/ElephantIO/$name.php")) {
            require_once "$folder/lib/ElephantIO/$name.php";
        }
    }
}

class ElephantComponent
{
    public $host;
    public $port;
    public $namespace = '/';
    private $client;
    private $version;

    public function __construct($version)
    {
        $this->version = (int) $version;
    }

    public function init()
    {
        $url = "http://{$this->host}:{$this->port}";
        if (method_exists(ElephantIO\Client::class, 'engine')) {
            $engine = ElephantIO\Client::engine($this->version, $url, ['max_payload' => 1000000]);
            $this->client = new ElephantIO\Client($engine);
            $this->client->connect();
        } elseif (interface_exists(ElephantIO\EngineInterface::class)) {
            $engine = "ElephantIO\\Engine\\SocketIO\\Version{$this->version}X";
            $this->client = new ElephantIO\Client(new $engine($url));
            $this->client->initialize();
        } else {
            $this->client = new ElephantIO\Client($url, 'socket.io', 1, false, true, true);
            ob_start(); // It prints what it does.
            $this->client->init();
            ob_end_clean();
        }
    }

    public function setNamespace($namespace)
    {
        $this->namespace = $namespace;
        if (method_exists($this->client, 'of') && $namespace !== '/') {
            $this->client->of($namespace);
        }
    }

    public function sendMsg($type, $content)
    {
        ob_start();
        if (method_exists($this->client, 'createFrame')) {
            $endpoint = $this->namespace === '/' ? null : $this->namespace;
            $this->client->createFrame(null, $endpoint)->emit($type, $content);
        } elseif (method_exists($this->client, 'of')) {
            $this->client->emit($type, $content);
        } else {
            $this->client->emit($type, $content, $this->namespace === '/' ? '' : $this->namespace);
        }
        ob_end_clean();
    }

    public function close()
    {
        ob_start();
        method_exists($this->client, 'disconnect') ? $this->client->disconnect()
            : $this->client->close();
        ob_end_clean();
    }
}

$component = new ElephantComponent($version);
$component->host = $host;
$component->port = $port;
$component->init();
$component->setNamespace($namespace);
foreach (json_decode($json, true) as $content) {
    $component->sendMsg($type, $content);
}
try {
    $component->close();
} catch (Throwable $e) {
    // A library of 2014 does not know PHP 8; what it sent is sent.
    fwrite(STDERR, get_class($e) . ': ' . $e->getMessage() . "\n");
}
