package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	bolt "go.etcd.io/bbolt"
)

// operation is one line of a script. Path names the bucket it is about, outermost first; keys, values and names
// are hex; createBucket and deleteBucket make or remove the bucket that is the path's last name.
type operation struct {
	Op       string   `json:"op"`
	Path     []string `json:"path"`
	Key      string   `json:"key"`
	Value    string   `json:"value"`
	Sequence string   `json:"sequence"`
}

// result is one line of the answer, in the order of the script.
type result struct {
	Error    string `json:"error,omitempty"`
	Sequence string `json:"sequence,omitempty"`
}

type script struct {
	db          *bolt.DB
	tx          *bolt.Tx
	fillPercent float64
}

// runApply makes the file if there is none, runs a JSON-lines script on it (from stdin if its name is "-") and
// answers each operation with a line. The first error ends it, unless --keep-going.
func runApply(args []string) error {
	flags := newFlags("apply")
	var options bolt.Options
	flags.IntVar(&options.PageSize, "page-size", 0, "bytes; 0 is the system's page size")
	flags.BoolVar(&options.NoFreelistSync, "no-freelist-sync", false, "do not store the freelist")
	flags.BoolVar(&options.NoSync, "no-sync", false, "do not sync")
	freelist := flags.String("freelist-type", "array", "array or hashmap")
	fillPercent := flags.Float64("fill-percent", bolt.DefaultFillPercent, "of every bucket")
	keepGoing := flags.Bool("keep-going", false, "record errors and carry on")
	arguments, err := parse(flags, args, 2)
	if err != nil {
		return err
	}
	options.FreelistType = bolt.FreelistType(*freelist)
	options.Timeout = lockTimeout
	var source io.Reader = os.Stdin
	if arguments[1] != "-" {
		file, err := os.Open(arguments[1])
		if err != nil {
			return err
		}
		defer file.Close()
		source = file
	}
	db, err := bolt.Open(arguments[0], 0o600, &options)
	if err != nil {
		return err
	}
	defer db.Close()
	return (&script{db: db, fillPercent: *fillPercent}).run(source, *keepGoing)
}

func (s *script) run(source io.Reader, keepGoing bool) error {
	lines := json.NewDecoder(bufio.NewReaderSize(source, 1<<16))
	for number := 1; ; number++ {
		var op operation
		err := lines.Decode(&op)
		if err == io.EOF {
			break
		} else if err != nil {
			return fmt.Errorf("operation %d: %v", number, err)
		}
		answer, err := s.step(op)
		if err != nil && !keepGoing {
			s.end()
			return fmt.Errorf("operation %d (%s): %v", number, op.Op, err)
		} else if err != nil {
			answer.Error = err.Error()
		}
		printJSON(answer)
	}
	if s.tx != nil {
		s.end()
		return errors.New("the script ends inside a transaction")
	}
	return nil
}

// end gives up an open transaction, without which the file would not close.
func (s *script) end() {
	if s.tx != nil {
		_ = s.tx.Rollback()
		s.tx = nil
	}
}

func (s *script) step(op operation) (answer result, err error) {
	if op.Op == "begin" {
		if s.tx != nil {
			return answer, errors.New("a transaction is open")
		}
		s.tx, err = s.db.Begin(true)
		return answer, err
	}
	if s.tx == nil {
		return answer, errors.New("no transaction is open")
	}
	switch op.Op {
	case "commit":
		err = s.tx.Commit()
		s.tx = nil
		return answer, err
	case "rollback":
		err = s.tx.Rollback()
		s.tx = nil
		return answer, err
	}
	path, err := unhexPath(op.Path)
	if err != nil {
		return answer, err
	}
	switch op.Op {
	case "createBucket":
		return answer, s.createBucket(path)
	case "deleteBucket":
		return answer, s.deleteBucket(path)
	}
	b, err := s.bucket(path)
	if err != nil {
		return answer, err
	}
	key, err := hex.DecodeString(op.Key)
	if err != nil {
		return answer, err
	}
	switch op.Op {
	case "put":
		value, err := hex.DecodeString(op.Value)
		if err != nil {
			return answer, err
		}
		return answer, b.Put(key, value)
	case "delete":
		return answer, b.Delete(key)
	case "setSequence":
		sequence, err := strconv.ParseUint(op.Sequence, 10, 64)
		if err != nil {
			return answer, err
		}
		return answer, b.SetSequence(sequence)
	case "nextSequence":
		sequence, err := b.NextSequence()
		answer.Sequence = strconv.FormatUint(sequence, 10)
		return answer, err
	}
	return answer, fmt.Errorf("unknown operation %q", op.Op)
}

func unhexPath(names []string) ([][]byte, error) {
	if len(names) == 0 {
		return nil, errors.New("no path")
	}
	path := make([][]byte, len(names))
	for i, name := range names {
		decoded, err := hex.DecodeString(name)
		if err != nil {
			return nil, err
		}
		path[i] = decoded
	}
	return path, nil
}

func (s *script) bucket(path [][]byte) (*bolt.Bucket, error) {
	b := s.tx.Bucket(path[0])
	for _, name := range path[1:] {
		if b == nil {
			break
		}
		b = b.Bucket(name)
	}
	if b == nil {
		return nil, bolt.ErrBucketNotFound
	}
	// Belongs to the handle, and every transaction has new ones.
	b.FillPercent = s.fillPercent
	return b, nil
}

func (s *script) createBucket(path [][]byte) error {
	name := path[len(path)-1]
	if len(path) == 1 {
		_, err := s.tx.CreateBucket(name)
		return err
	}
	parent, err := s.bucket(path[:len(path)-1])
	if err != nil {
		return err
	}
	_, err = parent.CreateBucket(name)
	return err
}

func (s *script) deleteBucket(path [][]byte) error {
	name := path[len(path)-1]
	if len(path) == 1 {
		return s.tx.DeleteBucket(name)
	}
	parent, err := s.bucket(path[:len(path)-1])
	if err != nil {
		return err
	}
	return parent.DeleteBucket(name)
}
