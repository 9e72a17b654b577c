package redistest
