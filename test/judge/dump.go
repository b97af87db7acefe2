package main

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strconv"

	bolt "go.etcd.io/bbolt"
)

// A sequence is a decimal string: JavaScript's numbers end at 2^53.
type bucketLine struct {
	Path     []string `json:"path"`
	Sequence string   `json:"sequence"`
}

type keyLine struct {
	Path  []string `json:"path"`
	Key   string   `json:"key"`
	Value string   `json:"value"`
}

type digestLine struct {
	Path     []string `json:"path"`
	Sequence string   `json:"sequence"`
	Keys     int      `json:"keys"`
	Digest   string   `json:"digest"`
}

// runDump prints the content in key order, depth first: a line for each bucket, then its keys and sub-buckets as
// they come. With --digest only the bucket lines, each with the count and the SHA-256 of its own plain keys.
func runDump(args []string) error {
	flags := newFlags("dump")
	digest := flags.Bool("digest", false, "counts and SHA-256 only")
	files, err := parse(flags, args, 1)
	if err != nil {
		return err
	}
	db, err := openToRead(files[0])
	if err != nil {
		return err
	}
	defer db.Close()
	return db.View(func(tx *bolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bolt.Bucket) error {
			if *digest {
				return dumpDigests(b, [][]byte{name})
			}
			return dumpKeys(b, [][]byte{name})
		})
	})
}

func sequenceOf(b *bolt.Bucket) string {
	return strconv.FormatUint(b.Sequence(), 10)
}

func dumpKeys(b *bolt.Bucket, path [][]byte) error {
	names := hexPath(path)
	printJSON(bucketLine{names, sequenceOf(b)})
	return b.ForEach(func(k, v []byte) error {
		if v == nil {
			return dumpKeys(b.Bucket(k), below(path, k))
		}
		printJSON(keyLine{names, hex.EncodeToString(k), hex.EncodeToString(v)})
		return nil
	})
}

func dumpDigests(b *bolt.Bucket, path [][]byte) error {
	keys, digest := digestOf(b)
	printJSON(digestLine{hexPath(path), sequenceOf(b), keys, digest})
	return b.ForEach(func(k, v []byte) error {
		if v == nil {
			return dumpDigests(b.Bucket(k), below(path, k))
		}
		return nil
	})
}

// digestOf is the count and the SHA-256 over (u32be klen, k, u32be vlen, v) of every plain key in order.
func digestOf(b *bolt.Bucket) (keys int, digest string) {
	hash := sha256.New()
	var length [4]byte
	write := func(part []byte) {
		binary.BigEndian.PutUint32(length[:], uint32(len(part)))
		hash.Write(length[:])
		hash.Write(part)
	}
	c := b.Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		if v != nil {
			write(k)
			write(v)
			keys++
		}
	}
	return keys, hex.EncodeToString(hash.Sum(nil))
}
