package main

import (
	"fmt"
	"io"
	"os"

	bolt "go.etcd.io/bbolt"
)

// runHold keeps bbolt's lock on the file until stdin closes, which a dying parent does too.
func runHold(args []string) error {
	flags := newFlags("hold")
	shared := flags.Bool("shared", false, "hold a reader's lock")
	files, err := parse(flags, args, 1)
	if err != nil {
		return err
	}
	db, err := openExisting(files[0], bolt.Options{ReadOnly: *shared})
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stdout, "held")
	_, _ = io.Copy(io.Discard, os.Stdin)
	return db.Close()
}

type compacted struct {
	SourceBytes int64 `json:"sourceBytes"`
	TargetBytes int64 `json:"targetBytes"`
}

// runCompact is `bbolt compact`, with its defaults.
func runCompact(args []string) error {
	flags := newFlags("compact")
	txMaxSize := flags.Int64("tx-max-size", 65536, "bytes per transaction; 0 is one transaction")
	noSync := flags.Bool("no-sync", false, "sync once at the end")
	files, err := parse(flags, args, 2)
	if err != nil {
		return err
	}
	done, err := compact(files[0], files[1], *txMaxSize, *noSync)
	if err != nil {
		return err
	}
	printJSON(done)
	return nil
}

// compact ends with the copy durable, whatever noSync says: a copy that a power cut can take is no result.
func compact(source, target string, txMaxSize int64, noSync bool) (done compacted, err error) {
	src, err := openToRead(source)
	if err != nil {
		return done, err
	}
	defer src.Close()
	dst, err := bolt.Open(target, 0o600, &bolt.Options{Timeout: lockTimeout, NoSync: noSync})
	if err != nil {
		return done, err
	}
	if err = bolt.Compact(dst, src, txMaxSize); err == nil && noSync {
		err = dst.Sync()
	}
	if closeErr := dst.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return done, err
	}
	for path, size := range map[string]*int64{source: &done.SourceBytes, target: &done.TargetBytes} {
		info, err := os.Stat(path)
		if err != nil {
			return done, err
		}
		*size = info.Size()
	}
	return done, nil
}
