<?php
// Two charts as SVG, written by hand so that nothing has to be installed. Both
// axes of growth and the one of bars are logarithmic.

const STYLE = <<<'END'
<style>
text { font: 14px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328 }
.title { font-size: 17px; font-weight: 600 }
.group { font-weight: 600 }
.quiet { fill: #59636e; font-size: 13px }
.paper { fill: #ffffff }
.grid { stroke: #d1d9e0; stroke-width: 1 }
.own { fill: #1a7f37 }
.other { fill: #8c959f }
.line { fill: none; stroke-width: 2.5 }
.line.own { fill: none; stroke: #1a7f37 }
.line.other { fill: none; stroke: #8c959f }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .quiet { fill: #9198a1 }
  .paper { fill: #0d1117 }
  .grid { stroke: #30363d }
  .own { fill: #3fb950 }
  .other { fill: #7d8590 }
  .line.own { stroke: #3fb950 }
  .line.other { stroke: #7d8590 }
}
</style>
END;

function escape(string $text): string
{
    return htmlspecialchars($text, ENT_XML1 | ENT_QUOTES);
}

function text(float $x, float $y, string $text, string $class = '', string $anchor = 'start'): string
{
    return sprintf(
        "<text x=\"%.1f\" y=\"%.1f\"%s%s>%s</text>\n",
        $x,
        $y,
        $class === '' ? '' : " class=\"$class\"",
        $anchor === 'start' ? '' : " text-anchor=\"$anchor\"",
        escape($text),
    );
}

function svg(int $width, int $height, string $title, string $description, string $body): string
{
    return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 $width $height\" width=\"$width\" height=\"$height\" role=\"img\">\n"
        . '<title>' . escape($title) . "</title>\n<desc>" . escape($description) . "</desc>\n" . STYLE
        . "\n<rect class=\"paper\" width=\"$width\" height=\"$height\" rx=\"6\"/>\n"
        . text(20, 32, $title, 'title') . text(20, 54, $description, 'quiet') . $body . "</svg>\n";
}

// The decades that hold all figures, as exponents of ten; the least figure is
// not at the very edge.
function decades(array $figures): array
{
    return [(int) floor(log10(min($figures) * 0.7)), (int) ceil(log10(max($figures)))];
}

function tick(int $exponent): string
{
    return match (true) {
        $exponent < -3 => 10 ** ($exponent + 6) . ' µs',
        $exponent < 0 => 10 ** ($exponent + 3) . ' ms',
        default => 10 ** $exponent . ' s',
    };
}

// $groups: title => list of [label, seconds, whether it is ours].
function bars(string $title, string $description, array $groups): string
{
    [$left, $width, $top, $step] = [290, 460, 78, 28];
    [$low, $high] = decades(array_merge(...array_map(fn($bars) => array_column($bars, 1), array_values($groups))));
    $at = fn(float $seconds): float => $left + $width * (log10($seconds) - $low) / ($high - $low);

    $y = $top;
    $body = '';
    foreach ($groups as $name => $bars) {
        $body .= text(20, $y + 17, $name, 'group');
        $y += $step;
        foreach ($bars as [$label, $seconds, $own]) {
            $body .= text($left - 12, $y + 16, $label, '', 'end');
            $body .= sprintf(
                "<rect class=\"%s\" x=\"%d\" y=\"%.1f\" width=\"%.1f\" height=\"20\" rx=\"2\"/>\n",
                $own ? 'own' : 'other',
                $left,
                $y + 1,
                max(2, $at($seconds) - $left),
            );
            $body .= text($at($seconds) + 8, $y + 16, duration($seconds));
            $y += $step;
        }
        $y += 10;
    }
    $grid = '';
    for ($decade = $low; $decade <= $high; $decade++) {
        $x = $at(10 ** $decade);
        $grid .= sprintf("<line class=\"grid\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>\n", $x, $top, $x, $y);
        $grid .= text($x, $y + 18, tick($decade), 'quiet', 'middle');
    }
    $grid .= text($left + $width / 2, $y + 40, 'time for one graph; each line is ten times the one before', 'quiet', 'middle');
    return svg($left + $width + 90, $y + 56, $title, $description, $grid . $body);
}

// $lines: label => [whether it is ours, [rows => seconds]].
function growth(string $title, string $description, array $lines): string
{
    [$left, $top, $width, $height] = [80, 100, 520, 300];
    $figures = array_merge(...array_map(fn($line) => array_values($line[1]), array_values($lines)));
    $sizes = array_merge(...array_map(fn($line) => array_keys($line[1]), array_values($lines)));
    [$low, $high] = decades($figures);
    [$small, $large] = [(int) floor(log10(min($sizes))), (int) ceil(log10(max($sizes)))];
    $x = fn(float $rows): float => $left + $width * (log10($rows) - $small) / max(1, $large - $small);
    $y = fn(float $seconds): float => $top + $height * ($high - log10($seconds)) / ($high - $low);

    $body = '';
    for ($decade = $low; $decade <= $high; $decade++) {
        $at = $y(10 ** $decade);
        $body .= sprintf("<line class=\"grid\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>\n", $left, $at, $left + $width, $at);
        $body .= text($left - 10, $at + 5, tick($decade), 'quiet', 'end');
    }
    for ($decade = $small; $decade <= $large; $decade++) {
        $at = $x(10 ** $decade);
        $body .= sprintf("<line class=\"grid\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>\n", $at, $top, $at, $top + $height);
        $body .= text($at, $top + $height + 20, number_format(10 ** $decade), 'quiet', 'middle');
    }
    $body .= text($left + $width / 2, $top + $height + 44, 'rows of the feed', 'quiet', 'middle');
    $body .= text($left - 60, $top - 14, 'time for 1,000 samples of all of it', 'quiet');
    // Figures stand above the first line and below the next, and so on.
    $beside = -10;
    foreach ($lines as $label => [$own, $points]) {
        $class = $own ? 'own' : 'other';
        $places = [];
        foreach ($points as $rows => $seconds) {
            $places[] = sprintf('%.1f,%.1f', $x($rows), $y($seconds));
            $body .= sprintf("<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/>\n", $class, $x($rows), $y($seconds));
            $body .= text($x($rows), $y($seconds) + $beside, duration($seconds), 'quiet', 'middle');
        }
        $beside = 12 - $beside;
        $body .= '<polyline class="line ' . $class . '" points="' . implode(' ', $places) . "\"/>\n";
        $body .= text($x(array_key_last($points)) + 12, $y(end($points)) + 5, $label);
    }
    return svg($left + $width + 230, $top + $height + 60, $title, $description, $body);
}
