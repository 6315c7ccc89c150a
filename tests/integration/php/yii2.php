<?php

declare(strict_types=1);

// The little of Yii 2 that a component needs: its base classes, path aliases
// for classes, and an application that makes components from its configuration.

namespace yii\base {

    class BaseObject
    {
        public function __construct($config = [])
        {
            foreach ($config as $property => $value) {
                $this->$property = $value;
            }
            $this->init();
        }

        public function init()
        {
        }
    }

    class Component extends BaseObject
    {
        private $initialized = false;

        public function init()
        {
            parent::init();
            $this->initialized = true;
        }

        /** For the test; Yii 2 has no such method. */
        public function getIsInitialized()
        {
            return $this->initialized;
        }

        public function __get($name)
        {
            return $this->{'get' . $name}();
        }
    }
}

namespace {

    class Yii
    {
        public static $app;

        private static $aliases = ['@signalbox' => __DIR__ . '/../../../apps/php'];

        public static function setAlias($alias, $path)
        {
            self::$aliases[$alias] = $path;
        }

        public static function autoload($class)
        {
            [$root, $rest] = explode('/', '@' . str_replace('\\', '/', $class), 2);
            if (isset(self::$aliases[$root])) {
                require self::$aliases[$root] . "/$rest.php";
            }
        }

        /** Makes the application, with all components of its configuration. */
        public static function start(array $config)
        {
            self::$app = new stdClass();
            foreach ($config['components'] as $name => $properties) {
                $class = $properties['class'];
                unset($properties['class']);
                self::$app->$name = new $class($properties);
            }
            return self::$app;
        }
    }

    spl_autoload_register(['Yii', 'autoload']);
}
