package main

import (
	"bytes"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// maxErrors keeps the report of a thoroughly broken file readable.
const maxErrors = 100

type verdict struct {
	OK     bool     `json:"ok"`
	Errors []string `json:"errors"`
}

func (v *verdict) add(err error) {
	v.OK = false
	if len(v.Errors) < maxErrors {
		v.Errors = append(v.Errors, err.Error())
	}
}

// runCheck runs Tx.Check and then, because Check 1.3.6 looks at pages and never at keys, walks every bucket: keys
// must ascend, and a search from the root must arrive at each of them.
func runCheck(args []string) error {
	files, err := parse(newFlags("check"), args, 1)
	if err != nil {
		return err
	}
	found := verdict{OK: true, Errors: []string{}}
	if db, err := openToRead(files[0]); err != nil {
		found.add(err)
	} else {
		defer db.Close()
		err := db.View(func(tx *bolt.Tx) error {
			for err := range tx.Check() {
				found.add(err)
			}
			if found.OK { // A tree that failed may have a cycle in it.
				checkOrder(tx.Cursor(), tx.Cursor(), nil, &found)
			}
			return nil
		})
		if err != nil {
			found.add(err)
		}
	}
	printJSON(found)
	if !found.OK {
		return errNo
	}
	return nil
}

func checkOrder(walk, probe *bolt.Cursor, path [][]byte, found *verdict) {
	var previous []byte
	for k, v := walk.First(); k != nil; k, v = walk.Next() {
		if len(path) == 0 && v != nil {
			found.add(fmt.Errorf("key %x is in the root bucket, which holds only buckets", k))
		}
		if previous != nil && bytes.Compare(previous, k) >= 0 {
			found.add(fmt.Errorf("bucket %q: key %x does not follow %x", path, k, previous))
		}
		if at, value := probe.Seek(k); !bytes.Equal(at, k) || !bytes.Equal(value, v) {
			found.add(fmt.Errorf("bucket %q: key %x is there but a search does not find it", path, k))
		}
		previous = k
		if v == nil {
			child := walk.Bucket().Bucket(k)
			if child == nil {
				found.add(fmt.Errorf("bucket %q: no bucket %q behind its name", path, k))
				continue
			}
			checkOrder(child.Cursor(), child.Cursor(), below(path, k), found)
		}
	}
}
