;; CRC-32C (Castagnoli, reflected) of a range of this module's own memory.
;;
;; Memory, laid out by ../crc32c.ts, which also fills in the tables:
;;
;;      0  16 tables of 256 u32; table k is "this byte, followed by k zero bytes"
;;  16384  history: 272 zero bytes, zero again whenever `update` is not running
;;  16656  window: 8192 bytes of folded input, then 240 bytes that have to read as zeros
;;  25088  rest: the at most 336 bytes that a folded range comes down to
;;  65536  the caller's bytes, then at least 16 more, because the fold reads whole vectors
;;
;; Fold. A CRC is linear: with Z = "one more zero byte", a byte d at position i of n counts as Z^(n-i) d. For this
;; polynomial
;;
;;     Z^266 = Z^143 ^ Z^121 ^ Z^88 ^ Z^71 ^ 1
;;
;; so a byte may be deleted, if it is xored onto the bytes 123, 145, 178, 195 and 266 further on. Seen from the byte
;; that receives:
;;
;;     w[i] = d[i] ^ w[i-123] ^ w[i-145] ^ w[i-178] ^ w[i-195] ^ w[i-266]
;;
;; which is six loads and a store for each 16 bytes, and no table. The six-term multiples of the polynomial were
;; searched for one that reaches back at least 96 bytes and at most 300. One with its nearest term at 65 ran 1.4 times
;; slower (presumably because a load that spans two stores waits until both have left the store buffer), and a longer
;; reach leaves a longer rest. Four terms reach back 5275 bytes or more, for 1.2 to 1.4 times the speed on a megabyte:
;; not worth a second fold.
;; That sparse multiples of the polynomial make a CRC without tables is S. Russell's finding ("Chorba: A novel CRC32
;; implementation", arXiv:2412.16398). What is left, 266 to 329 bytes, goes through the tables.
(module
  (import "crc32c" "memory" (memory 1))

  ;; The register after the bytes [at, end), not inverted on the way in or out. Addresses are unsigned.
  (func (export "update") (param $at i32) (param $end i32) (param $crc i32) (result i32)
    (local $stop i32)   ;; where the loop at hand ends
    (local $fold i32)   ;; where the fold ends: the bytes from here on are the rest
    (local $w i32)      ;; 272 bytes before the next byte of the window
    (local $out i32)

    ;; Below this the tables alone measured as fast or faster.
    (if (i32.ge_u (i32.sub (local.get $end) (local.get $at)) (i32.const 512))
      (then
        ;; The longest multiple of 64 that leaves 266 bytes, which is as far as the fold throws.
        (local.set $fold (i32.add (local.get $at) (i32.and
          (i32.sub (i32.sub (local.get $end) (local.get $at)) (i32.const 266))
          (i32.const -64))))
        (local.set $w (i32.const 16384))
        ;; The register belongs on the first four bytes: from 266 before them, no nearer term sees it.
        (i32.store (i32.const 16390) (local.get $crc))

        (block $folded (loop $window
          (local.set $stop (local.get $fold))
          (if (i32.gt_u (i32.sub (local.get $fold) (local.get $at)) (i32.const 8192))
            (then (local.set $stop (i32.add (local.get $at) (i32.const 8192)))))

          ;; 64 bytes at a time; 272 - 123 = 149 and so on.
          (loop $step
            (v128.store offset=272 (local.get $w)
              (v128.xor (v128.xor (v128.xor (v128.load (local.get $at))
                (v128.load offset=6 (local.get $w))) (v128.load offset=77 (local.get $w)))
                (v128.xor (v128.xor (v128.load offset=94 (local.get $w))
                (v128.load offset=127 (local.get $w))) (v128.load offset=149 (local.get $w)))))
            (v128.store offset=288 (local.get $w)
              (v128.xor (v128.xor (v128.xor (v128.load offset=16 (local.get $at))
                (v128.load offset=22 (local.get $w))) (v128.load offset=93 (local.get $w)))
                (v128.xor (v128.xor (v128.load offset=110 (local.get $w))
                (v128.load offset=143 (local.get $w))) (v128.load offset=165 (local.get $w)))))
            (v128.store offset=304 (local.get $w)
              (v128.xor (v128.xor (v128.xor (v128.load offset=32 (local.get $at))
                (v128.load offset=38 (local.get $w))) (v128.load offset=109 (local.get $w)))
                (v128.xor (v128.xor (v128.load offset=126 (local.get $w))
                (v128.load offset=159 (local.get $w))) (v128.load offset=181 (local.get $w)))))
            (v128.store offset=320 (local.get $w)
              (v128.xor (v128.xor (v128.xor (v128.load offset=48 (local.get $at))
                (v128.load offset=54 (local.get $w))) (v128.load offset=125 (local.get $w)))
                (v128.xor (v128.xor (v128.load offset=142 (local.get $w))
                (v128.load offset=175 (local.get $w))) (v128.load offset=197 (local.get $w)))))
            (local.set $w (i32.add (local.get $w) (i32.const 64)))
            (local.set $at (i32.add (local.get $at) (i32.const 64)))
            (br_if $step (i32.ne (local.get $at) (local.get $stop))))

          (br_if $folded (i32.eq (local.get $at) (local.get $fold)))
          ;; The window is full: its end becomes the history of the next one.
          (memory.copy (i32.const 16384) (local.get $w) (i32.const 272))
          (local.set $w (i32.const 16384))
          (br $window)))

        ;; The rest takes what was thrown at it and throws nothing on: zeros stand where its own w would be. It has at
        ;; most 336 bytes, and looks back at least 123, so it sees the first 213 of them.
        (local.set $stop (i32.add (local.get $w) (i32.const 240)))
        (local.set $out (local.get $w))
        (loop $zero
          (v128.store offset=272 (local.get $out) (v128.const i64x2 0 0))
          (v128.store offset=288 (local.get $out) (v128.const i64x2 0 0))
          (v128.store offset=304 (local.get $out) (v128.const i64x2 0 0))
          (local.set $out (i32.add (local.get $out) (i32.const 48)))
          (br_if $zero (i32.ne (local.get $out) (local.get $stop))))
        (local.set $out (i32.const 25088))
        (local.set $stop (i32.add (i32.const 25088) (i32.sub (local.get $end) (local.get $at))))
        (loop $rest
          (v128.store (local.get $out)
            (v128.xor (v128.xor (v128.xor (v128.load (local.get $at))
              (v128.load offset=6 (local.get $w))) (v128.load offset=77 (local.get $w)))
              (v128.xor (v128.xor (v128.load offset=94 (local.get $w))
              (v128.load offset=127 (local.get $w))) (v128.load offset=149 (local.get $w)))))
          (local.set $w (i32.add (local.get $w) (i32.const 16)))
          (local.set $at (i32.add (local.get $at) (i32.const 16)))
          (local.set $out (i32.add (local.get $out) (i32.const 16)))
          (br_if $rest (i32.lt_u (local.get $out) (local.get $stop))))

        (memory.fill (i32.const 16384) (i32.const 0) (i32.const 272))
        (local.set $at (i32.const 25088))
        (local.set $end (local.get $stop))
        (local.set $crc (i32.const 0))))

    ;; Tables, 16 bytes at a time: the twelve bytes that do not wait for the register first.
    (local.set $stop (i32.add (local.get $at) (i32.and
      (i32.sub (local.get $end) (local.get $at)) (i32.const -16))))
    (block $done (loop $sixteen
      (br_if $done (i32.eq (local.get $at) (local.get $stop)))
      (local.set $crc (i32.xor (local.get $crc) (i32.load (local.get $at))))
      (local.set $crc
        (i32.xor
          (i32.xor
            (i32.xor
              (i32.xor
                (i32.xor
                  (i32.load offset=11264 (i32.shl (i32.load8_u offset=4 (local.get $at)) (i32.const 2)))
                  (i32.load offset=10240 (i32.shl (i32.load8_u offset=5 (local.get $at)) (i32.const 2))))
                (i32.load offset=9216 (i32.shl (i32.load8_u offset=6 (local.get $at)) (i32.const 2))))
              (i32.xor
                (i32.xor
                  (i32.load offset=8192 (i32.shl (i32.load8_u offset=7 (local.get $at)) (i32.const 2)))
                  (i32.load offset=7168 (i32.shl (i32.load8_u offset=8 (local.get $at)) (i32.const 2))))
                (i32.load offset=6144 (i32.shl (i32.load8_u offset=9 (local.get $at)) (i32.const 2)))))
            (i32.xor
              (i32.xor
                (i32.xor
                  (i32.load offset=5120 (i32.shl (i32.load8_u offset=10 (local.get $at)) (i32.const 2)))
                  (i32.load offset=4096 (i32.shl (i32.load8_u offset=11 (local.get $at)) (i32.const 2))))
                (i32.load offset=3072 (i32.shl (i32.load8_u offset=12 (local.get $at)) (i32.const 2))))
              (i32.xor
                (i32.xor
                  (i32.load offset=2048 (i32.shl (i32.load8_u offset=13 (local.get $at)) (i32.const 2)))
                  (i32.load offset=1024 (i32.shl (i32.load8_u offset=14 (local.get $at)) (i32.const 2))))
                (i32.load (i32.shl (i32.load8_u offset=15 (local.get $at)) (i32.const 2))))))
          (i32.xor
            (i32.xor
              (i32.load offset=15360 (i32.shl (i32.and (local.get $crc) (i32.const 255)) (i32.const 2)))
              (i32.load offset=14336
                (i32.and (i32.shr_u (local.get $crc) (i32.const 6)) (i32.const 1020))))
            (i32.xor
              (i32.load offset=13312
                (i32.and (i32.shr_u (local.get $crc) (i32.const 14)) (i32.const 1020)))
              (i32.load offset=12288
                (i32.shl (i32.shr_u (local.get $crc) (i32.const 24)) (i32.const 2)))))))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br $sixteen)))

    ;; The last 0 to 15 bytes, by fours and ones: 12 single bytes took a fifth of the time of 300.
    (local.set $stop (i32.add (local.get $at) (i32.and
      (i32.sub (local.get $end) (local.get $at)) (i32.const -4))))
    (block $done (loop $four
      (br_if $done (i32.eq (local.get $at) (local.get $stop)))
      (local.set $crc (i32.xor (local.get $crc) (i32.load (local.get $at))))
      (local.set $crc
        (i32.xor
          (i32.xor
            (i32.load offset=3072 (i32.shl (i32.and (local.get $crc) (i32.const 255)) (i32.const 2)))
            (i32.load offset=2048
              (i32.and (i32.shr_u (local.get $crc) (i32.const 6)) (i32.const 1020))))
          (i32.xor
            (i32.load offset=1024
              (i32.and (i32.shr_u (local.get $crc) (i32.const 14)) (i32.const 1020)))
            (i32.load (i32.shl (i32.shr_u (local.get $crc) (i32.const 24)) (i32.const 2))))))
      (local.set $at (i32.add (local.get $at) (i32.const 4)))
      (br $four)))
    (block $done (loop $one
      (br_if $done (i32.eq (local.get $at) (local.get $end)))
      (local.set $crc (i32.xor (i32.shr_u (local.get $crc) (i32.const 8))
        (i32.load (i32.shl
          (i32.and (i32.xor (local.get $crc) (i32.load8_u (local.get $at))) (i32.const 255))
          (i32.const 2)))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br $one)))
    (local.get $crc)))
