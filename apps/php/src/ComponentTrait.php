<?php

declare(strict_types=1);

namespace Signalbox;

/**
 * What the components for Yii 1 and Yii 2 have in common. The properties are
 * set by the application's configuration; all but `namespace` count when the
 * client is made: in `init`, and at the first call after `close`.
 */
trait ComponentTrait
{
    /** @var string host of the router's `listen.ingest` */
    public $host = '127.0.0.1';
    /** @var int port of the router's `listen.ingest` */
    public $port = 8401;
    /** @var string one of the router's `ingest.keys` */
    public $key = '';
    /** @var string where `sendMsg` sends to */
    public $namespace = '/';
    /** @var bool whether a proxy in front of the router speaks TLS */
    public $tls = false;
    /** @var string PEM file with the authority of its certificate */
    public $caFile = '';
    /** @var int this and the following are those of Client */
    public $connectTimeoutMs = 1000;
    /** @var int */
    public $timeoutMs = 3000;
    /** @var int */
    public $keepAliveMs = 10000;

    /** @var Client|null */
    private $client;

    /** Makes the client; its first call opens the connection. */
    public function init()
    {
        parent::init();
        $this->getClient();
    }

    /** Sets where `sendMsg` sends to from now on; the slash may be missing. */
    public function setNamespace($namespace)
    {
        $this->namespace = '/' . ltrim((string) $namespace, '/');
    }

    /**
     * Posts an event at once; the router's rules decide by type and content who
     * receives it. Returns the router's answer.
     *
     * @param string $type
     * @param mixed $content
     * @param array $options as for `Client::publish`
     * @return array
     */
    public function sendMsg($type, $content, array $options = [])
    {
        $namespace = ['namespace' => '/' . ltrim((string) $this->namespace, '/')];
        return $this->getClient()->publish((string) $type, $content, $options + $namespace);
    }

    /** Closes the connection to the router. */
    public function close()
    {
        if ($this->client !== null) {
            $this->client->close();
            $this->client = null;
        }
    }

    /**
     * Returns the client, for batches, confirms and questions. It knows nothing
     * of `namespace`.
     *
     * @return Client
     */
    public function getClient()
    {
        if ($this->client === null) {
            $host = strpos($this->host, ':') === false ? $this->host : "[$this->host]";
            $scheme = $this->tls ? 'https' : 'http';
            $this->client = new Client("$scheme://$host:$this->port", (string) $this->key, [
                'connectTimeoutMs' => $this->connectTimeoutMs,
                'timeoutMs' => $this->timeoutMs,
                'keepAliveMs' => $this->keepAliveMs,
                'caFile' => $this->caFile,
            ]);
        }
        return $this->client;
    }
}
