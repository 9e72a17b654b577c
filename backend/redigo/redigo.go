package redigo

import _ "github.com/gomodule/redigo/redis"
