--TEST--
emonfeed.so exports get_module and nothing else, and stays loaded
--INI--
pcre.jit=0
--FILE--
<?php
/* Reads the dynamic section and symbols of an ELF file (elf.h). */
final class Elf
{
    private const SHT_DYNAMIC = 6;
    private const SHT_DYNSYM = 11;
    private const DT_FLAGS_1 = 0x6ffffffb;
    private const DF_1_NODELETE = 8;

    private bool $wide;
    private string $end;
    private array $sections = [];

    public function __construct(private string $bytes)
    {
        $this->wide = ord($bytes[4]) === 2;
        $this->end = ord($bytes[5]) === 1 ? 'little' : 'big';
        $at = $this->word($this->wide ? 40 : 32);
        $size = $this->number($this->wide ? 58 : 46, 2);
        $count = $this->number($this->wide ? 60 : 48, 2);
        for ($i = 0; $i < $count; $i++, $at += $size) {
            $w = $this->wide ? 8 : 4;
            $this->sections[] = [
                'type' => $this->number($at + 4, 4),
                'offset' => $this->word($at + 8 + 2 * $w),
                'size' => $this->word($at + 8 + 3 * $w),
                'link' => $this->number($at + 8 + 4 * $w, 4),
            ];
        }
    }

    private function number(int $at, int $length): int
    {
        $bytes = substr($this->bytes, $at, $length);
        return hexdec(bin2hex($this->end === 'little' ? strrev($bytes) : $bytes));
    }

    private function word(int $at): int
    {
        return $this->number($at, $this->wide ? 8 : 4);
    }

    private function section(int $type): array
    {
        return current(array_filter($this->sections, fn ($section) => $section['type'] === $type));
    }

    public function exports(): array
    {
        $symbols = $this->section(self::SHT_DYNSYM);
        $strings = $this->sections[$symbols['link']]['offset'];
        $names = [];
        $size = $this->wide ? 24 : 16;
        for ($at = $symbols['offset']; $at < $symbols['offset'] + $symbols['size']; $at += $size) {
            $defined = $this->number($at + ($this->wide ? 6 : 14), 2) !== 0;
            $local = ord($this->bytes[$at + ($this->wide ? 4 : 12)]) >> 4 === 0;
            if ($defined && !$local) {
                $name = $strings + $this->number($at, 4);
                $names[] = substr($this->bytes, $name, strpos($this->bytes, "\0", $name) - $name);
            }
        }
        return $names;
    }

    public function staysLoaded(): bool
    {
        $dynamic = $this->section(self::SHT_DYNAMIC);
        $w = $this->wide ? 8 : 4;
        for ($at = $dynamic['offset']; $at < $dynamic['offset'] + $dynamic['size']; $at += 2 * $w) {
            if ($this->word($at) === self::DT_FLAGS_1) {
                return (bool) ($this->word($at + $w) & self::DF_1_NODELETE);
            }
        }
        return false;
    }
}

preg_match('~/\S*emonfeed\.so~', file_get_contents('/proc/self/maps'), $file);
$elf = new Elf(file_get_contents($file[0]));
var_dump($elf->exports(), $elf->staysLoaded());
?>
--EXPECT--
array(1) {
  [0]=>
  string(10) "get_module"
}
bool(true)
