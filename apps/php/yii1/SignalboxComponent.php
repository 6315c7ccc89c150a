<?php

declare(strict_types=1);

require_once __DIR__ . '/../signalbox.php';

/** The router as a component of a Yii 1 application. */
class SignalboxComponent extends CApplicationComponent
{
    use Signalbox\ComponentTrait;
}
