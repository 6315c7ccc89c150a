<?php

declare(strict_types=1);

// A process and its fork publish by one client at the same time; prints the
// types that the other end echoed to each.

require __DIR__ . '/../../../apps/php/signalbox.php';

$push = new Signalbox\Client($argv[1], 'any key');
$push->publish('before');
$pair = stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, STREAM_IPPROTO_IP);
$child = pcntl_fork();
$name = $child === 0 ? 'child' : 'parent';
$types = [];
for ($i = 0; $i < 20; ++$i) {
    $types[] = $push->publish($name)['type'];
}
if ($child === 0) {
    fwrite($pair[1], json_encode(array_unique($types)) . "\n");
    exit(0);
}
echo json_encode([array_unique($types), json_decode(fgets($pair[0]))]);
pcntl_waitpid($child, $status);
