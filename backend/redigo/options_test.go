package redigo_test

import (
	"strings"
	"testing"

	"github.com/gomodule/redigo/redis"

	"github.com/dislock/dislock/backend/redigo"
	"github.com/dislock/dislock/internal/recipe/recipetest"
	"github.com/dislock/dislock/internal/redistest"
)

func TestNewPanicsOnNil(t *testing.T) {
	for name, pool := range map[string]redigo.Pool{"nil": nil, "a nil pointer": (*redis.Pool)(nil)} {
		func() {
			defer func() {
				if text, _ := recover().(string); !strings.Contains(text, "pool is nil") {
					t.Errorf("New with %s: panic says %q", name, text)
				}
			}()
			redigo.New(pool)
		}()
	}
}

func TestWithPrefix(t *testing.T) {
	server := redistest.Start(t)
	turn(t, redigo.New(newPool(t, recipetest.Login{Addr: server.Addr()}), redigo.WithPrefix("app:")))
	if _, ok := server.Keys(t)["app:{turn}:fence"]; !ok {
		t.Errorf("keys %v, want app:{turn}:fence", server.Keys(t))
	}
	defer func() {
		if text, _ := recover().(string); !strings.Contains(text, `"a{b"`) {
			t.Errorf("panic says %q, want it to name the prefix", text)
		}
	}()
	redigo.WithPrefix("a{b")
}
