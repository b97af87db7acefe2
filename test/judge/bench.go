package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
)

// The workload, to the byte, so that strata can run the same (test/support/workload.ts is its mirror):
//
//   - Chance is Marsaglia's xorshift32 on a nonzero 32-bit seed: x ^= x << 13; x ^= x >> 17; x ^= x << 5.
//   - A key is a revision as etcd writes it: main as 8 bytes big-endian, '_', sub as 8 bytes big-endian.
//   - Values are windows on one block of noise: xorshift32 from seed 0x9E3779B9, each step giving 4 bytes
//     little-endian, noiseBytes + valueBytes of them. Value i starts at i*7919 mod noiseBytes. So they do not
//     compress, differ from record to record, and cost nothing to make inside the timed part.
//   - fill puts (i, 0) = value i for i = 1..n, in order.
//   - random takes two steps a, b for each put, the j-th from 0: key (1 + a%keySpace, b%1000), value j.
//   - get takes one step a for each read: key (1 + a%keySpace, 0).
//   - The digest of what was read is d = d*31 + klen + vlen + k[0] + v[0] mod 2^32, from 0, over the pairs as they
//     were read; an empty value adds 0 for its first byte and a missing key adds nothing at all.
//   - The digest of what was written is the one that `dump --digest` has for the bucket.
const (
	noiseBytes  = 65536
	noiseSeed   = 0x9E3779B9
	noiseStride = 7919
	subSpace    = 1000
)

var keyBucket = []byte("key")

type xorshift32 uint32

func (x *xorshift32) next() uint32 {
	s := uint32(*x)
	s ^= s << 13
	s ^= s >> 17
	s ^= s << 5
	*x = xorshift32(s)
	return s
}

func noise(valueBytes int) []byte {
	block := make([]byte, noiseBytes+valueBytes+3)
	x := xorshift32(noiseSeed)
	for i := 0; i < noiseBytes+valueBytes; i += 4 {
		binary.LittleEndian.PutUint32(block[i:], x.next())
	}
	return block
}

func valueAt(block []byte, i uint64, valueBytes int) []byte {
	start := int(i * noiseStride % noiseBytes)
	return block[start : start+valueBytes]
}

func setRevision(key []byte, main, sub uint64) {
	binary.BigEndian.PutUint64(key, main)
	key[8] = '_'
	binary.BigEndian.PutUint64(key[9:], sub)
}

func mix(digest uint32, k, v []byte) uint32 {
	digest = digest*31 + uint32(len(k)) + uint32(len(v)) + uint32(k[0])
	if len(v) > 0 {
		digest += uint32(v[0])
	}
	return digest
}

type measured struct {
	Ops          int     `json:"ops"`
	Seconds      float64 `json:"seconds"`
	Digest       string  `json:"digest"`
	CPUSeconds   float64 `json:"cpuSeconds"`
	PeakRSSBytes int64   `json:"peakRssBytes"`
	P50Us        float64 `json:"p50Us,omitempty"`
	P99Us        float64 `json:"p99Us,omitempty"`
}

// clock is of the wall and of the processors: beside busy neighbours, only the second can be compared.
type clock struct {
	wall time.Time
	cpu  time.Duration
}

func startClock() clock {
	return clock{time.Now(), cpuTime()}
}

// stop is called before the digest of what was written brings pages in.
func (c clock) stop(ops int) measured {
	wall, cpu := time.Since(c.wall), cpuTime()-c.cpu
	return measured{Ops: ops, Seconds: wall.Seconds(), CPUSeconds: cpu.Seconds(), PeakRSSBytes: peakRSS()}
}

// cpuTime is what all threads have spent, the kernel's work for them included.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// peakRSS is the kernel's own figure for this program: getrusage's would count the parent before exec.
func peakRSS() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for _, line := range strings.Split(string(status), "\n") {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "VmHWM:" {
			kib, _ := strconv.ParseInt(fields[1], 10, 64)
			return kib * 1024
		}
	}
	return 0
}

type benchFlags struct {
	n, txSize, valueBytes int
	fillPercent           float64
	keySpace, seed        uint64
	each, noSync, warm    bool
	txMaxSize             int64
	callers, warmPuts     int
	hot                   uint64
}

// runBench times one question and prints {ops, seconds, digest}. Opening the file, and the digest of what was
// written, are outside the time, except where they are the question.
func runBench(args []string) error {
	modes := map[string]struct {
		files int
		run   func(files []string, f benchFlags) (measured, error)
	}{
		"compact": {2, benchCompact},
		"fill":    {1, benchFill},
		"get":     {1, benchGet},
		"load":    {1, benchLoad},
		"open":    {1, benchOpen},
		"put":     {1, benchPut},
		"random":  {1, benchRandom},
		"read":    {1, benchRead},
		"scan":    {1, benchScan},
	}
	if len(args) == 0 || modes[args[0]].run == nil {
		return fmt.Errorf("bench compact|fill|get|load|open|put|random|read|scan")
	}
	var f benchFlags
	flags := newFlags("bench " + args[0])
	flags.IntVar(&f.n, "n", 1000, "operations")
	flags.IntVar(&f.txSize, "tx-size", 100, "puts per transaction")
	flags.IntVar(&f.valueBytes, "value-bytes", 300, "bytes per value")
	flags.Float64Var(&f.fillPercent, "fill-percent", 0.9, "of the bucket")
	flags.Uint64Var(&f.keySpace, "key-space", 1000, "main revisions to choose from")
	flags.Uint64Var(&f.seed, "seed", 1, "of the keys, not 0")
	flags.BoolVar(&f.each, "each", false, "a read transaction for each get")
	flags.BoolVar(&f.warm, "warm", false, "the same reads once before the clock starts")
	flags.BoolVar(&f.noSync, "no-sync", false, "sync once at the end")
	flags.IntVar(&f.callers, "callers", 1, "goroutines that put and wait")
	flags.IntVar(&f.warmPuts, "warm-puts", 0, "puts before the clock starts")
	flags.Uint64Var(&f.hot, "hot", 1, "keys that are read, evenly among the key space")
	flags.Int64Var(&f.txMaxSize, "tx-max-size", 65536, "bytes per transaction of compact")
	mode := modes[args[0]]
	files, err := parse(flags, args[1:], mode.files)
	if err != nil {
		return err
	}
	if f.n < 1 || f.txSize < 1 || f.valueBytes < 0 || f.keySpace < 1 || uint32(f.seed) == 0 || f.callers < 1 ||
		f.warmPuts < 0 || f.hot < 1 || args[0] == "read" && f.hot > f.keySpace {
		return fmt.Errorf("n, tx-size, key-space, seed, callers and hot start at 1; hot ends at key-space")
	}
	result, err := mode.run(files, f)
	if err != nil {
		return err
	}
	printJSON(result)
	return nil
}

// openAsEtcd opens with the options of etcd's backend, its 10 GiB of address space among them.
func openAsEtcd(path string) (*bolt.DB, error) {
	return bolt.Open(path, 0o600, &bolt.Options{
		Timeout:         lockTimeout,
		NoFreelistSync:  true,
		FreelistType:    bolt.FreelistMapType,
		InitialMmapSize: 10 << 30,
	})
}

// puts runs n puts in transactions of txSize; next sets the key and returns the value of the i-th.
func puts(db *bolt.DB, f benchFlags, next func(i int, key []byte) []byte) (measured, error) {
	var key [17]byte
	start := startClock()
	for put := 0; put < f.n; {
		err := db.Update(func(tx *bolt.Tx) error {
			b := tx.Bucket(keyBucket)
			b.FillPercent = f.fillPercent
			for i := 0; i < f.txSize && put < f.n; i++ {
				value := next(put, key[:])
				if err := b.Put(key[:], value); err != nil {
					return err
				}
				put++
			}
			return nil
		})
		if err != nil {
			return measured{}, err
		}
	}
	result := start.stop(f.n)
	return result, db.View(func(tx *bolt.Tx) error {
		_, result.Digest = digestOf(tx.Bucket(keyBucket))
		return nil
	})
}

func benchFill(files []string, f benchFlags) (measured, error) {
	db, err := openAsEtcd(files[0])
	if err != nil {
		return measured{}, err
	}
	defer db.Close()
	err = db.Update(func(tx *bolt.Tx) error {
		_, err := tx.CreateBucket(keyBucket)
		return err
	})
	if err != nil {
		return measured{}, err
	}
	block := noise(f.valueBytes)
	return puts(db, f, func(i int, key []byte) []byte {
		setRevision(key, uint64(i)+1, 0)
		return valueAt(block, uint64(i)+1, f.valueBytes)
	})
}

func benchRandom(files []string, f benchFlags) (measured, error) {
	db, err := openAsEtcd(files[0])
	if err != nil {
		return measured{}, err
	}
	defer db.Close()
	block := noise(f.valueBytes)
	x := xorshift32(f.seed)
	return puts(db, f, func(i int, key []byte) []byte {
		main := 1 + uint64(x.next())%f.keySpace
		setRevision(key, main, uint64(x.next())%subSpace)
		return valueAt(block, uint64(i), f.valueBytes)
	})
}

func benchScan(files []string, _ benchFlags) (result measured, err error) {
	db, err := openToRead(files[0])
	if err != nil {
		return result, err
	}
	defer db.Close()
	var digest uint32
	start := startClock()
	err = db.View(func(tx *bolt.Tx) error {
		c := tx.Bucket(keyBucket).Cursor()
		for k, v := c.First(); k != nil; k, v = c.Next() {
			digest = mix(digest, k, v)
			result.Ops++
		}
		return nil
	})
	result = start.stop(result.Ops)
	result.Digest = fmt.Sprintf("%08x", digest)
	return result, err
}

func benchGet(files []string, f benchFlags) (result measured, err error) {
	db, err := openToRead(files[0])
	if err != nil {
		return result, err
	}
	defer db.Close()
	var digest uint32
	var key [17]byte
	x := xorshift32(f.seed)
	get := func(tx *bolt.Tx, times int) {
		b := tx.Bucket(keyBucket)
		for i := 0; i < times; i++ {
			setRevision(key[:], 1+uint64(x.next())%f.keySpace, 0)
			if v := b.Get(key[:]); v != nil {
				digest = mix(digest, key[:], v)
			}
		}
	}
	transactions, times := 1, f.n
	if f.each {
		transactions, times = f.n, 1
	}
	if f.warm {
		if err := db.View(func(tx *bolt.Tx) error { get(tx, f.n); return nil }); err != nil {
			return result, err
		}
		digest, x = 0, xorshift32(f.seed)
	}
	start := startClock()
	for i := 0; i < transactions; i++ {
		if err := db.View(func(tx *bolt.Tx) error { get(tx, times); return nil }); err != nil {
			return result, err
		}
	}
	result = start.stop(f.n)
	result.Digest = fmt.Sprintf("%08x", digest)
	return result, nil
}

// benchCompact times from opening the source to the copy's last sync.
func benchCompact(files []string, f benchFlags) (result measured, err error) {
	start := startClock()
	if _, err := compact(files[0], files[1], f.txMaxSize, f.noSync); err != nil {
		return result, err
	}
	result = start.stop(0)
	db, err := openToRead(files[1])
	if err != nil {
		return result, err
	}
	defer db.Close()
	return result, db.View(func(tx *bolt.Tx) error {
		if b := tx.Bucket(keyBucket); b != nil {
			result.Ops, result.Digest = digestOf(b)
		}
		return nil
	})
}

// benchOpen times opening for write, which is when bbolt rebuilds a freelist that is not stored. The digest is the
// number of free pages it found.
func benchOpen(files []string, _ benchFlags) (measured, error) {
	start := startClock()
	db, err := openAsEtcd(files[0])
	if err != nil {
		return measured{}, err
	}
	result := start.stop(1)
	defer db.Close()
	result.Digest = fmt.Sprint(db.Stats().FreePageN)
	return result, nil
}
