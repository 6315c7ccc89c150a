<?php

declare(strict_types=1);

// The little of Yii 1 that a component needs: its base classes, and an
// application that makes components from its configuration.

class CComponent
{
    public function __get($name)
    {
        return $this->{'get' . $name}();
    }
}

class CApplicationComponent extends CComponent
{
    private $initialized = false;

    public function init()
    {
        $this->initialized = true;
    }

    public function getIsInitialized()
    {
        return $this->initialized;
    }
}

class Yii
{
    /** What `application` stands for in a path alias. */
    public static $base = __DIR__ . '/../../../apps/php';

    private static $app;

    /** Makes the application, with all components of its configuration. */
    public static function start(array $config)
    {
        self::$app = new stdClass();
        foreach ($config['components'] as $name => $properties) {
            $alias = $properties['class'];
            unset($properties['class']);
            require_once self::$base
                . str_replace('.', '/', substr($alias, strlen('application'))) . '.php';
            $class = basename(str_replace('.', '/', $alias));
            $component = new $class();
            foreach ($properties as $property => $value) {
                $component->$property = $value;
            }
            $component->init();
            self::$app->$name = $component;
        }
        return self::$app;
    }

    public static function app()
    {
        return self::$app;
    }
}
