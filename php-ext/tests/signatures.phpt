--TEST--
Names, types and defaults, as reflection shows them
--FILE--
<?php
function signature(ReflectionFunctionAbstract $function): string
{
    $parameters = [];
    foreach ($function->getParameters() as $parameter) {
        $default = '';
        if ($parameter->isOptional()) {
            $default = ' = ' . json_encode($parameter->getDefaultValue());
        }
        $parameters[] = $parameter->getType() . ' $' . $parameter->getName() . $default;
    }
    $type = $function->hasReturnType() ? ': ' . $function->getReturnType() : '';
    return $function->getName() . '(' . implode(', ', $parameters) . ")$type";
}

$extension = new ReflectionExtension('emonfeed');
foreach ($extension->getFunctions() as $function) {
    echo signature($function), "\n";
}
foreach ($extension->getClasses() as $class) {
    echo "\n", implode(' ', Reflection::getModifierNames($class->getModifiers())), ' class ', $class->getName(), "\n";
    echo 'parent: ', $class->getParentClass() ? $class->getParentClass()->getName() : 'none', "\n";
    echo 'cloneable: ', json_encode($class->isCloneable()), "\n";
    foreach ($class->getReflectionConstants() as $constant) {
        if ($constant->getDeclaringClass() == $class) {
            echo $constant->getName(), ' = ', $constant->getValue(), "\n";
        }
    }
    foreach ($class->getMethods() as $method) {
        if ($method->getDeclaringClass() == $class) {
            echo signature($method), "\n";
        }
    }
}
?>
--EXPECT--
emonfeed_get_feed_data(int $feedid, float $start, float $end, int $dp): array
emonfeed_copy(string $source, string $destination, array $options = []): array

 class Emonfeed\Exception
parent: RuntimeException
cloneable: false
INTERNAL = 1
NOT_FOUND = 10
PERMISSION = 11
IO = 12
NOT_REGULAR = 13
MEMORY = 14
NOT_A_FEED = 20
UNKNOWN_COLUMN = 21
ENGINE = 22
COMPRESSED = 23
DYNAMIC = 24
MISSING_DEFINITION = 25
NO_HISTOGRAM = 26
CRASHED = 40
PHASE_SHIFTED = 41
DAMAGED = 42
BAD_ROW = 43
CHANGED = 50
LOCKED = 51
DESTINATION = 60
CATALOG = 61

final class Emonfeed\Feed
parent: none
cloneable: false
FIRST = 0
LAST = 1
AVERAGE = 2
MIN = 3
MAX = 4
SUM = 5
COUNT = 6
NEXT = 0
PREVIOUS = 1
LINEAR = 2
EXACT = 3
CLOSED_END = 1
SKIP_MISSING = 2
TRUE_TIME = 4
CLIP_END = 8
__construct(string $path)
meta(): array
lastValue(): ?array
windows(int $start, int $end, int $interval, int $aggregate = 0, int $flags = 0): array
windowsJson(int $start, int $end, int $interval, int $aggregate = 0, int $flags = 0): string
windowsCsv(int $start, int $end, int $interval, int $aggregate = 0, int $flags = 0, array $format = []): string
windowsAt(array $edges, int $aggregate = 0, int $flags = 0): array
windowsAtJson(array $edges, int $aggregate = 0, int $flags = 0): string
windowsAtCsv(array $edges, int $aggregate = 0, int $flags = 0, array $format = []): string
valuesAt(array $times, int $mode = 2, int $flags = 0): array
valuesAtCsv(array $times, int $mode = 2, int $flags = 0, array $format = []): string
rows(int $start, int $end, int $limit = 0): array
rowsJson(int $start, int $end, int $limit = 0): string
rowsCsv(int $start, int $end, array $format = [], int $given = 0): array
histogram(int $start, int $end): array
sumByTime(float $min, float $max): array

final class Emonfeed\Backup
parent: none
cloneable: false
__construct(string $source, string $destination, array $options = [])
feeds(): int
stop(): void
close(): array
current(): ?array
key(): ?string
next(): void
rewind(): void
valid(): bool
