<?php

declare(strict_types=1);

namespace signalbox\yii2;

require_once __DIR__ . '/../signalbox.php';

/** The router as a component of a Yii 2 application. */
class SignalboxComponent extends \yii\base\Component
{
    use \Signalbox\ComponentTrait;
}
