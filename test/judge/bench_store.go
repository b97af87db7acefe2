package main

import (
	"fmt"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"
)

// What a store in the process is measured with (bench/store/workload.ts is the mirror): text keys of 17 bytes, "key-"
// and 13 digits; value i is the noise's.

func textKey(i uint64) []byte {
	key := []byte("key-0000000000000")
	for at := len(key) - 1; i > 0; at-- {
		key[at] = byte('0' + i%10)
		i /= 10
	}
	return key
}

func openWithBucket(path string) (*bolt.DB, error) {
	db, err := openAsEtcd(path)
	if err != nil {
		return nil, err
	}
	return db, db.Update(func(tx *bolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(keyBucket)
		return err
	})
}

// benchPut times durable puts of callers that each wait for their last one. One caller has a transaction for each put;
// more share one by Batch, which goes as soon as all of them wait, or after 1 ms: its defaults are 1000 and 10 ms.
func benchPut(files []string, f benchFlags) (measured, error) {
	db, err := openWithBucket(files[0])
	if err != nil {
		return measured{}, err
	}
	defer db.Close()
	db.MaxBatchSize, db.MaxBatchDelay = f.callers, time.Millisecond
	block := noise(f.valueBytes)
	put := db.Update
	if f.callers > 1 {
		put = db.Batch
	}
	next, total := int64(-1), int64(0)
	took := make([]time.Duration, f.warmPuts+f.n)
	var failure atomic.Value
	run := func(puts int) {
		total += int64(puts)
		var all sync.WaitGroup
		for c := 0; c < f.callers; c++ {
			all.Add(1)
			go func() {
				defer all.Done()
				for failure.Load() == nil {
					i := atomic.AddInt64(&next, 1)
					if i >= total {
						return
					}
					begin := time.Now()
					err := put(func(tx *bolt.Tx) error {
						b := tx.Bucket(keyBucket)
						b.FillPercent = f.fillPercent
						return b.Put(textKey(uint64(i)), valueAt(block, uint64(i), f.valueBytes))
					})
					took[i] = time.Since(begin)
					if err != nil {
						failure.Store(err)
					}
				}
			}()
		}
		all.Wait()
		// Each caller has taken one number too many.
		next = total - 1
	}
	if f.warmPuts > 0 {
		run(f.warmPuts)
	}
	start := startClock()
	run(f.n)
	result := start.stop(f.n)
	if err, _ := failure.Load().(error); err != nil {
		return result, err
	}
	timed := took[f.warmPuts:]
	sort.Slice(timed, func(a, b int) bool { return timed[a] < timed[b] })
	result.P50Us = float64(timed[len(timed)/2].Nanoseconds()) / 1000
	result.P99Us = float64(timed[len(timed)*99/100].Nanoseconds()) / 1000
	return result, db.View(func(tx *bolt.Tx) error {
		_, result.Digest = digestOf(tx.Bucket(keyBucket))
		return nil
	})
}

func benchLoad(files []string, f benchFlags) (measured, error) {
	db, err := openWithBucket(files[0])
	if err != nil {
		return measured{}, err
	}
	defer db.Close()
	block := noise(f.valueBytes)
	return puts(db, f, func(i int, key []byte) []byte {
		copy(key, textKey(uint64(i)))
		return valueAt(block, uint64(i), f.valueBytes)
	})
}

// benchRead reads keys evenly spread among all of them, in one transaction or each in one of its own.
func benchRead(files []string, f benchFlags) (result measured, err error) {
	db, err := openToRead(files[0])
	if err != nil {
		return result, err
	}
	defer db.Close()
	x := xorshift32(f.seed)
	stride := f.keySpace / f.hot
	keys := make([][]byte, f.n)
	for i := range keys {
		keys[i] = textKey(uint64(x.next()) % f.hot * stride)
	}
	var digest uint32
	get := func(keys [][]byte) error {
		return db.View(func(tx *bolt.Tx) error {
			b := tx.Bucket(keyBucket)
			for _, key := range keys {
				if v := b.Get(key); v != nil {
					digest = mix(digest, key, v)
				}
			}
			return nil
		})
	}
	if f.warm {
		if err := get(keys); err != nil {
			return result, err
		}
		digest = 0
	}
	start := startClock()
	if f.each {
		for i := range keys {
			if err := get(keys[i : i+1]); err != nil {
				return result, err
			}
		}
	} else if err := get(keys); err != nil {
		return result, err
	}
	result = start.stop(f.n)
	result.Digest = fmt.Sprintf("%08x", digest)
	return result, nil
}
