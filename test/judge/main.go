// The judge is real bbolt with a command line: it checks, dumps, writes and times page files, so that strata is
// measured against the library whose format it keeps and not against its own idea of it.
//
// Every subcommand prints JSON on stdout, one value a line, and exits 0 for "yes" and 1 for "no"; an error that
// stopped it is {"error": "..."}. Exit code 2 is a crash: bbolt panics on some damage, in a goroutine of its own
// that nobody else can recover.
package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"

	bolt "go.etcd.io/bbolt"
)

// lockTimeout is how long to wait for another process's lock; the error then is bbolt's own "timeout".
const lockTimeout = 2 * time.Second

var commands = map[string]func(args []string) error{
	"apply":   runApply,
	"bench":   runBench,
	"check":   runCheck,
	"compact": runCompact,
	"dump":    runDump,
	"hold":    runHold,
}

// errNo ends a command that has printed its answer, and the answer is no.
var errNo = fmt.Errorf("no")

var out = bufio.NewWriterSize(os.Stdout, 1<<16)

func main() {
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: judge check|dump|apply|hold|compact|bench [flags] ARGUMENTS")
		os.Exit(1)
	}
	err := commands[os.Args[1]](os.Args[2:])
	if err != nil && err != errNo {
		printJSON(map[string]string{"error": err.Error()})
	}
	out.Flush()
	if err != nil {
		os.Exit(1)
	}
}

func printJSON(value interface{}) {
	line, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	out.Write(line)
	out.WriteByte('\n')
}

// parse reads flags and exactly n arguments after them.
func parse(flags *flag.FlagSet, args []string, n int) ([]string, error) {
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if flags.NArg() != n {
		return nil, fmt.Errorf("%s takes %d arguments, not %d", flags.Name(), n, flags.NArg())
	}
	return flags.Args(), nil
}

func newFlags(name string) *flag.FlagSet {
	return flag.NewFlagSet(name, flag.ContinueOnError)
}

// openExisting opens a file that must be there: bbolt 1.3.6 creates what it is asked to read.
func openExisting(path string, options bolt.Options) (*bolt.DB, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	options.Timeout = lockTimeout
	return bolt.Open(path, 0o600, &options)
}

// openToRead also refuses a file shorter than the pages in use: bbolt maps it, and would die of a SIGBUS later.
func openToRead(path string) (*bolt.DB, error) {
	db, err := openExisting(path, bolt.Options{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	err = db.View(func(tx *bolt.Tx) error {
		info, err := os.Stat(path)
		if err == nil && info.Size() < tx.Size() {
			err = fmt.Errorf("file has %d bytes, its pages in use need %d", info.Size(), tx.Size())
		}
		return err
	})
	if err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

func hexPath(path [][]byte) []string {
	names := make([]string, len(path))
	for i, name := range path {
		names[i] = hex.EncodeToString(name)
	}
	return names
}

// below copies, because the walk would otherwise write sibling names into one shared array.
func below(path [][]byte, name []byte) [][]byte {
	return append(append([][]byte{}, path...), name)
}
